import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.errors import DataError
from ganstyle.metrics.headline import COPY
from ganstyle.metrics.plane import IDENTITY, Described, Halves, measure, place
from ganstyle.metrics.style import StyleScore

ROWS = (IDENTITY, "model", COPY)


def draws(*values: float, noise: float = 0.01) -> dict[str, Tensor]:
    """Draws of one score by row, that scatter a little."""
    scatter = noise * torch.randn(21, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scatter[0] = 0.0
    return {row: value + scatter * (place + 1) for place, (row, value) in enumerate(zip(ROWS, values, strict=True))}


def test_identity_and_copied_pictures_are_the_corners() -> None:
    plane = place({"edges": draws(1.0, 0.7, 0.1)}, {"gram": draws(5.0, 2.0, 1.0)})
    assert plane.standings[IDENTITY].points()[0] == (1.0, 0.0)
    assert plane.standings[COPY].points()[0] == (0.0, 1.0)
    assert not plane.standings[IDENTITY].style.any()
    assert bool((plane.standings[IDENTITY].content == 1).all())
    assert plane.standings["model"].content[0].item() == pytest.approx(0.6 / 0.9)
    assert plane.standings["model"].style[0].item() == pytest.approx(3.0 / 4.0)


@given(scale=st.floats(0.1, 100), shift=st.floats(-10, 10))
def test_the_unit_of_a_score_does_not_matter(scale: float, shift: float) -> None:
    content, style = draws(1.0, 0.7, 0.1), draws(5.0, 2.0, 1.0)
    other = {row: shift + scale * values for row, values in style.items()}
    one, moved = place({"edges": content}, {"gram": style}), place({"edges": content}, {"gram": other})
    torch.testing.assert_close(moved.standings["model"].style, one.standings["model"].style, rtol=1e-6, atol=1e-9)


def test_scores_of_a_side_count_alike() -> None:
    plane = place(
        {"edges": draws(1.0, 0.5, 0.0)}, {"gram": draws(10.0, 5.0, 0.0), "color": draws(0.1, 0.1, 0.0, noise=0)}
    )
    assert plane.style == ("gram", "color")
    assert plane.standings["model"].style[0].item() == pytest.approx((0.5 + 0.0) / 2)


def test_a_score_that_a_model_was_trained_with_takes_no_part() -> None:
    style = {"gram": draws(10.0, 0.0, 0.0), "color": draws(10.0, 5.0, 0.0)}
    plane = place({"edges": draws(1.0, 0.5, 0.0)}, style, left_out=["gram"])
    assert plane.style == ("color",)
    assert plane.standings["model"].style[0].item() == pytest.approx(0.5)


def test_a_score_that_cannot_tell_the_sets_apart_takes_no_part() -> None:
    style = {"gram": draws(1.0, 0.9, 1.0, noise=0.5), "color": draws(10.0, 5.0, 0.0)}
    assert place({"edges": draws(1.0, 0.5, 0.0)}, style).style == ("color",)
    with pytest.raises(DataError, match="no score of the style side is left"):
        place({"edges": draws(1.0, 0.5, 0.0)}, {"gram": style["gram"]})


def test_every_row_is_measured_on_the_same_halves() -> None:
    painting = torch.tensor([0, 0, 1, 1, 2, 2])
    halves = Halves.of(5, painting, seed=3, draws=7)
    assert halves.images[0].tolist() == [0, 1, 2, 3, 4]
    assert halves.crops[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert all(len(half) == 3 for half in halves.images[1:])
    values, level = (
        torch.arange(5.0),
        StyleScore("level", lambda image: image.flatten(1), lambda a, b: float((a.mean() - b.mean()).abs())),
    )
    rows = {"one": Described({"value": values}, {"level": values[:, None]})}
    rows["other"] = Described({"value": values + 1}, {"level": values[:, None] + 1})
    found = measure(rows, {"level": torch.full((6, 1), 100.0)}, ["value"], [level], halves)
    assert found.content["value"]["one"][0].item() == 2.0
    assert len(found.content["value"]["one"]) == 8
    torch.testing.assert_close(found.content["value"]["other"] - 1, found.content["value"]["one"])
    torch.testing.assert_close(found.style["level"]["other"] + 1, found.style["level"]["one"])
