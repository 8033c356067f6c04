"""What losses of two tensors require of their shapes."""

from torch import Tensor

from ganstyle.errors import ShapeError


def require_one_shape(loss: str, one: Tensor, other: Tensor) -> None:
    """Raise ShapeError for tensors of two shapes, which torch would broadcast into a wrong number."""
    if one.shape != other.shape:
        raise ShapeError(f"{loss} compares tensors of one shape, but got {_times(one)} and {_times(other)}.")


def _times(tensor: Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape)
