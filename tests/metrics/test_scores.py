from ganstyle.metrics.scores import SCORES


def test_every_score_is_found_under_its_own_name() -> None:
    assert all(score.name == name for name, score in SCORES.items())


def test_every_meaning_is_one_sentence() -> None:
    for score in SCORES.values():
        assert score.meaning[0] in "(ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        assert score.meaning.endswith(".")
        assert ". " not in score.meaning.replace("et al. ", "").replace("dB. ", "")


def test_content_is_kept_and_distances_of_style_shrink() -> None:
    content = [score for score in SCORES.values() if score.side == "content"]
    style = [score for score in SCORES.values() if score.side == "style" and score.name != "deception"]
    assert {score.name for score in content} == {"edge_correlation", "dog_ssim", "self_similarity"}
    assert {score.name for score in style} == {"gram", "patches", "gabor", "color"}
    assert {score.better for score in content} == {"higher"}
    assert {score.better for score in style} == {"lower"}
