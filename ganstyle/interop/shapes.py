"""What of a file's tensors does not fit a network, in words."""

from collections.abc import Mapping

from torch import Tensor

from ganstyle.interop.reading import listed


def misfits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Word what is missing, what is left over and what has another shape; empty where all is well.

    The count of batches that batch norm has seen may be missing: it is newer than other statistics.
    """
    missing = [name for name in expected if name not in found and not name.endswith("num_batches_tracked")]
    extra = [name for name in found if name not in expected]
    odd = [name for name in expected if name in found and found[name].shape != expected[name].shape]
    shaped = [f"{name} ({_times(found[name])} and not {_times(expected[name])})" for name in odd]
    parts = {"it lacks": missing, "it has no place for": extra, "other shapes are in": shaped}
    return "; ".join(f"{words} {listed(names)}" for words, names in parts.items() if names)


def _times(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"
