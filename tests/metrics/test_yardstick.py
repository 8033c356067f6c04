from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.metrics.judge import Judge
from ganstyle.metrics.plane import Described
from ganstyle.metrics.recolor import baseline_rows
from ganstyle.metrics.sets import References, Sources, as_bytes, as_images
from ganstyle.metrics.style import StyleScore
from ganstyle.metrics.yardstick import SIDES, Yardstick, score_names
from ganstyle.types import Image

COUNT, SIDE = 24, 16


def likeness(source: Image, result: Image) -> Tensor:
    return 1.0 - (source - result).abs().mean((1, 2, 3)) / 2


def colors(image: Image) -> Tensor:
    return image.mean((2, 3))


def gap(results: Tensor, references: Tensor) -> float:
    return float((results.mean(0) - references.mean(0)).norm())


JUDGE = Judge("none", "0", {"likeness": likeness}, (StyleScore("colors", colors, gap),))


def pictures(name: str, red: float) -> Tensor:
    noise = torch.rand(COUNT, 3, SIDE, SIDE, generator=generator_of(name))
    return as_bytes((noise * 1.2 - 0.6 + torch.tensor([red, 0.0, 0.0])[:, None, None]).clamp(-1, 1))


SOURCES = Sources("noise", tuple(map(str, range(COUNT))), pictures("photographs", -0.3))
REFERENCES = References("red noise", pictures("paintings", 0.3), torch.arange(COUNT))
PHOTOGRAPHS, PAINTINGS = as_images(SOURCES.pictures), as_images(REFERENCES.crops)


@pytest.fixture(scope="module")
def yardstick() -> Yardstick:
    return Yardstick.of(SOURCES, REFERENCES, JUDGE, seed=0, draws=40)


def described(results: Image) -> Described:
    return JUDGE.describe(PHOTOGRAPHS, results)


def test_photographs_keep_all_content_reach_no_style_and_gain_nothing(yardstick: Yardstick):
    found = yardstick.read(described(PHOTOGRAPHS))
    assert found["content"].value == pytest.approx(1.0)
    assert found["style"].value == pytest.approx(0.0)
    assert found["gain"].value == pytest.approx(0.0)


@pytest.mark.parametrize("name", ["mkl", "half-blend", "style-copy"])
def test_what_needs_no_learning_gains_nothing(yardstick: Yardstick, name: str):
    results = as_images(as_bytes(baseline_rows(PHOTOGRAPHS, PAINTINGS, 0)[name]))
    found = yardstick.read(described(results))
    assert found["gain"] == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_the_collections_colors_in_untouched_photographs_are_a_gain_of_one(yardstick: Yardstick):
    impossible = Described({"likeness": torch.ones(COUNT, dtype=torch.float64)}, {"colors": colors(PAINTINGS)})
    found = yardstick.read(impossible)
    assert found["content"].value == pytest.approx(1.0)
    assert found["style"].value > 0.9
    assert found["gain"].value > 0.9
    assert found["gain"].low > 0.5


def test_intervals_hold_their_value(yardstick: Yardstick):
    blurred = torch.nn.functional.avg_pool2d(PHOTOGRAPHS, 3, 1, 1)
    for name, (value, low, high) in yardstick.read(described(blurred)).items():
        assert low <= value <= high, name


def test_every_score_is_named_before_it_is_read(yardstick: Yardstick):
    assert sorted(yardstick.read(described(PHOTOGRAPHS))) == sorted(score_names(JUDGE))


def test_the_same_pictures_give_the_same_numbers(yardstick: Yardstick):
    again = Yardstick.of(SOURCES, REFERENCES, JUDGE, seed=0, draws=40)
    row = described(PHOTOGRAPHS.flip(3))
    assert again.read(row) == yardstick.read(row)


def test_another_seed_changes_intervals_but_no_score(yardstick: Yardstick):
    row = described(PHOTOGRAPHS.flip(3))
    other = Yardstick.of(SOURCES, REFERENCES, JUDGE, seed=1, draws=40).read(row)["likeness"]
    assert other.value == yardstick.read(row)["likeness"].value
    assert other != yardstick.read(row)["likeness"]


def test_a_place_without_a_score_left_is_no_number_but_the_scores_are_read():
    trained = Yardstick.of(SOURCES, REFERENCES, JUDGE, trained_with=frozenset({"colors"}), seed=0, draws=10)
    found = trained.read(described(PHOTOGRAPHS))
    assert all(found[side].value != found[side].value for side in SIDES)
    assert found["colors"].value > 0


def constant(_: Image, result: Image) -> Tensor:
    return torch.full((len(result),), 7.0)


def test_scores_against_a_known_answer_are_read_for_the_method_alone():
    truth: dict[str, Callable[[Image, Image], Tensor]] = {"constant": constant}
    judge = Judge("none", "0", JUDGE.content, JUDGE.style, truth)
    yardstick = Yardstick.of(SOURCES, REFERENCES, judge, seed=0, draws=10)
    assert "constant" in score_names(judge)
    found = yardstick.read(judge.describe(PHOTOGRAPHS, PHOTOGRAPHS, PAINTINGS))
    assert found["constant"] == (7.0, 7.0, 7.0)
