import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.metrics.headline import COPY, Headline, Point, Standing, explanation, judge, read, sentence, spread

CURVE = [Point(1.0, 0.0), Point(0.95, 0.3), Point(0.9, 0.5)]
CORNER = Point(0.0, 1.0)
IDENTITY, FULL = "identity", "mkl"
DRAWS = 41


def standing(content: float, style: float, noise: float = 0.0, seed: int = 0) -> Standing:
    """A row that is measured exactly, and whose resamples scatter by `noise`."""
    draws = noise * torch.randn(2, DRAWS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    draws[:, 0] = 0.0
    return Standing(content + draws[0], style + draws[1])


def verdict(content: float, style: float, noise: float = 0.0) -> Headline:
    curve = [standing(*point) for point in CURVE]
    baselines = {IDENTITY: curve[0], FULL: curve[-1], COPY: standing(*CORNER)}
    return judge(standing(content, style, noise), curve, baselines)


def test_the_curve_is_read_between_its_points() -> None:
    assert read(CURVE, CORNER, 0.975).style == pytest.approx(0.15)
    assert read(CURVE, CORNER, 0.92).style == pytest.approx(0.42)
    assert read(CURVE, CORNER, 0.95) == (pytest.approx(0.3), "on the curve")


def test_beyond_full_strength_the_line_to_copied_pictures_is_read_and_said() -> None:
    assert read(CURVE, CORNER, 0.45) == (pytest.approx(0.75), "below the curve")
    assert read(CURVE, CORNER, -0.2) == (pytest.approx(1.0), "below the curve")
    assert read(CURVE, CORNER, 1.1) == (0.0, "above the curve")


def test_a_curve_that_turns_back_is_read_where_it_is_best() -> None:
    folded = [Point(1.0, 0.0), Point(0.8, 0.4), Point(0.9, 0.6)]
    assert read(folded, CORNER, 0.9).style == pytest.approx(0.6)
    assert read(folded, CORNER, 0.85).style == pytest.approx(0.6 + 0.4 * 0.05 / 0.9)
    assert read(folded, CORNER, 0.7).style == pytest.approx(0.6 + 0.4 * 0.2 / 0.9)


def test_recoloring_that_takes_style_away_asks_for_no_less() -> None:
    falling = [Point(1.0, 0.0), Point(0.95, 0.1), Point(0.9, -0.5)]
    assert read(falling, CORNER, 0.92).style == pytest.approx(0.1 + 0.9 * 0.03 / 0.95)
    assert read(falling, CORNER, 0.9).style == pytest.approx(0.1 + 0.9 * 0.05 / 0.95)
    assert read(falling, CORNER, 0.475).style == pytest.approx(0.1 + 0.9 / 2)


@pytest.mark.parametrize("share", [0.05, 0.16, 0.3])
def test_whoever_shows_a_painting_for_some_photographs_gains_nothing(share: float) -> None:
    useless = [standing(1.0, 0.0), standing(0.8, -0.4)]
    tossed = standing(1 - share, share)
    assert judge(tossed, useless, {IDENTITY: useless[0], COPY: standing(*CORNER)}).gain.value == pytest.approx(0.0)


@given(content=st.floats(-0.5, 1.5))
def test_a_reading_never_leaves_what_the_corners_reach(content: float) -> None:
    assert 0.0 <= read(CURVE, CORNER, content).style <= 1.0


@given(content=st.floats(0.0, 1.0), other=st.floats(0.0, 1.0))
def test_who_keeps_more_content_is_asked_for_less_style(content: float, other: float) -> None:
    low, high = sorted((content, other))
    assert read(CURVE, CORNER, low).style >= read(CURVE, CORNER, high).style - 1e-12


def test_a_method_above_the_line_is_better_than_recoloring() -> None:
    found = verdict(0.92, 0.6)
    assert found.gain.value == pytest.approx(0.6 - 0.42)
    assert found.better
    assert not found.as_good
    assert sentence("model", found).endswith("and model is better than recoloring.")


@pytest.mark.parametrize("point", [*CURVE, CORNER, Point(0.45, 0.75)])
def test_what_needs_no_learning_never_gets_the_headline(point: Point) -> None:
    found = verdict(*point)
    assert found.gain.value == pytest.approx(0.0)
    assert not found.better


def test_a_baseline_that_is_as_good_on_both_sides_is_named_first() -> None:
    found = verdict(0.85, 0.4)
    assert found.as_good == (FULL,)
    assert found.worse
    assert sentence("model", found) == (
        "Mkl is as good as model on both sides, content and style, so model is not better than recoloring."
    )


def test_several_baselines_are_listed() -> None:
    found = verdict(0.85, -0.1)
    assert found.as_good == (IDENTITY, FULL)
    assert sentence("model", found).startswith("Identity and mkl are as good as model")


def test_a_method_below_the_line_is_worse_though_no_baseline_matches_it() -> None:
    found = verdict(0.93, 0.2)
    assert not found.better
    assert found.as_good == ()
    assert "worse than recoloring" in sentence("model", found)


def test_a_gain_within_its_noise_is_no_gain() -> None:
    found = verdict(0.92, 0.45, noise=0.1)
    assert found.gain.low < 0 < found.gain.high
    assert not found.better


def test_a_lead_within_its_noise_leaves_the_baseline_as_good() -> None:
    assert verdict(0.91, 0.9, noise=0.5).as_good == (IDENTITY, FULL)


def test_it_is_said_when_the_curve_does_not_reach_as_far() -> None:
    assert "outside" not in explanation(verdict(0.92, 0.6))
    below = explanation(verdict(0.45, 0.9))
    assert "outside the recoloring curve, which ends at 0.90" in below
    assert "+0.15 [+0.15, +0.15]" in below


@given(shift=st.floats(-5, 5), scale=st.floats(0.01, 10))
def test_an_interval_moves_and_grows_with_its_draws(shift: float, scale: float) -> None:
    draws = torch.linspace(-1, 1, 101, dtype=torch.float64)
    values = torch.cat([torch.zeros(1, dtype=torch.float64), draws])
    moved = spread(shift + scale * values)
    assert moved.value == pytest.approx(shift)
    assert (moved.low - shift) / scale == pytest.approx(-0.95, rel=1e-6)
    assert (moved.high - shift) / scale == pytest.approx(0.95, rel=1e-6)


def test_an_interval_is_around_the_measurement_not_around_the_resamples() -> None:
    values = torch.cat([torch.tensor([3.0]), torch.linspace(4.0, 6.0, 101)])
    found = spread(values)
    assert found.value == 3.0
    assert (found.low + found.high) / 2 == pytest.approx(3.0)


def test_a_measurement_without_resamples_has_no_width() -> None:
    assert spread(torch.tensor([0.7], dtype=torch.float64)) == (0.7, 0.7, 0.7)
