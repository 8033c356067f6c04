import math

import pytest

from ganstyle.export.drafts import Draft
from ganstyle.export.errors import ParityError
from ganstyle.export.int8 import Layer, Quantized, closest

NOTHING = Draft(lambda path, label: None)


def search(errors: dict[str, float], products: dict[str, float]) -> Draft:
    """Search among layers whose squared errors add up."""

    def quantize(kept: frozenset[str]) -> Quantized:
        total = sum(error for name, error in errors.items() if name not in kept)
        return Quantized(NOTHING, 10 * math.log10(4 / total) if total else 1000.0)

    return closest([Layer(name, products[name]) for name in errors], quantize)


def test_nothing_is_kept_where_everything_is_close() -> None:
    found = search({"a": 1e-5, "b": 1e-5}, {"a": 1, "b": 1})
    assert (found.kept, found.quantized) == ((), 2)


def test_the_layers_that_harm_most_for_their_work_are_kept_and_no_more() -> None:
    errors = {"stem": 1e-2, "heavy": 1e-4, "light": 1e-4, "end": 5e-3, "rest": 1e-5}
    products = {"stem": 1.0, "heavy": 100.0, "light": 1.0, "end": 1.0, "rest": 1.0}
    found = search(errors, products)
    assert set(found.kept) == {"stem", "end"}
    assert found.quantized == 3


def test_a_network_that_bears_no_rounding_is_refused() -> None:
    with pytest.raises(ParityError, match="no layer"):
        search({"a": 1.0, "b": 1.0}, {"a": 1, "b": 1})
