import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganstyle.data.scenes import scene
from ganstyle.data.toy import landscapes, toy
from ganstyle.errors import DataError

TINY = {"size": 32, "scenes": 6, "val": 2, "held_out": 3}


def test_the_scenes_are_the_same_on_every_machine() -> None:
    problem = toy(**TINY)
    assert problem.card["content"] == "ec13b6f15ee31ec423eee7e4a6575ce6"


@settings(max_examples=10)
@given(st.integers(0, 2**40))
def test_a_scene_is_a_picture_of_many_colors(seed: int) -> None:
    picture = scene(seed, 48)
    assert picture.shape == (48, 48, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100


def test_splits_show_different_scenes() -> None:
    pictures = [picture.tobytes() for split in ("train", "val", "test") for picture in landscapes(split, 4, 32)[0]]
    assert len(set(pictures)) == 12


def test_pairs_belong_together_and_the_answer_is_known() -> None:
    problem = toy(**TINY)
    answers = {source.tobytes(): painting for source, painting in zip(*landscapes("train", 6, 32), strict=True)}
    for number in range(12):
        example = problem.train[number]
        source = ((example["source"] + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous().numpy()
        target = ((example["target"] + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous().numpy()
        assert (answers[source.tobytes()] == target).all()
    assert torch.equal(problem.test[0]["truth"], problem.test[0]["target"])
    assert problem.card["known_answer"]


def test_the_unpaired_toy_shows_paintings_of_other_scenes() -> None:
    problem = toy(**TINY, paired=False)
    paintings = {painting.tobytes() for painting in landscapes("train", 6, 32)[1]}
    for number in range(6):
        target = ((problem.train[number]["target"] + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous().numpy()
        assert target.tobytes() not in paintings
    assert torch.equal(problem.val[1]["truth"], problem.val[1]["target"])


def test_every_image_of_the_run_has_its_own_seed() -> None:
    problem = toy(**TINY)
    seeds = [int(problem.train[number]["seed"]) for number in range(30)]
    assert len(set(seeds)) == 30
    assert seeds != [int(toy(**TINY, seed=1).train[number]["seed"]) for number in range(30)]


def test_a_finite_set_ends() -> None:
    assert len(list(toy(**TINY).val)) == 2


@pytest.mark.parametrize(
    ("arguments", "words"), [({"size": 30}, "multiple of 4"), ({"scenes": 0}, "scene in every split")]
)
def test_what_cannot_be_drawn_is_refused(arguments: dict[str, int], words: str) -> None:
    with pytest.raises(DataError, match=words):
        toy(**{**TINY, **arguments})
