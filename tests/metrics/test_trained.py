from ganstyle.metrics.trained import scores_of_features, trained_scores

OWN = {"generator": {"adversarial": 1.0, "content": 0.8, "style": 2.0, "total_variation": 0.05}, "discriminator": {}}


def test_a_gram_loss_marks_the_gram_score_through_the_same_features_only() -> None:
    assert trained_scores(OWN, same_features=True) == {"self_similarity", "gram"}
    assert trained_scores(OWN, same_features=False) == frozenset()


def test_scores_of_features_are_those_that_other_features_would_not_mark() -> None:
    assert scores_of_features(OWN | {"other": {"style_bands": 1.0}}) == {"gram", "self_similarity"}
    assert scores_of_features({}) == set()


def test_losses_on_pixels_mark_their_scores_whatever_the_features() -> None:
    assert trained_scores({"generator": {"l1": 100.0, "style_patches": 1.0}}, same_features=False) == {"l1", "patches"}


def test_a_loss_of_no_weight_trains_nothing() -> None:
    assert trained_scores({"generator": {"l1": 0.0}}, same_features=True) == frozenset()


def test_a_folder_of_results_was_trained_with_nothing_known() -> None:
    assert trained_scores({}, same_features=True) == frozenset()
