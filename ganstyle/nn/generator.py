"""What the generators share: which images and styles they take, their taps, and the image at the end."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from ganstyle.errors import ConfigError, ShapeError, unknown
from ganstyle.nn.norms import Style


def require_image(
    name: str, image: Tensor, *, channels: int = 3, multiple: int = 1, least: int = 1, advice: str
) -> None:
    """Raise ShapeError, in one sentence, for an image that the network called `name` cannot take.

    Its sides must be multiples of `multiple` and at least `least` pixels; `advice` says what to do otherwise.
    """
    if image.ndim != 4 or image.shape[1] != channels:
        raise ShapeError(f"this {name} takes batch x {channels} x height x width, but got {_times(image.shape)}.")
    height, width = image.shape[2:]
    if height % multiple or width % multiple:
        takes = f"images whose sides are multiples of {multiple}"
        raise ShapeError(f"this {name} takes {takes}, but got {height} x {width}; {advice}.")
    if height < least or width < least:
        takes = f"images of at least {least} x {least} pixels"
        raise ShapeError(f"this {name} takes {takes}, but got {height} x {width}; {advice}.")


def require_style(name: str, styles: int, style: Tensor | None, batch: int) -> None:
    """Raise ShapeError, in one sentence, for a style that is missing, needless or not one for each image."""
    if styles == 0 and style is not None:
        raise ShapeError(
            f"this {name} has one fixed style, but was given a style; leave it out, or build it with styles."
        )
    if styles == 0:
        return
    takes = f"this {name} has {styles} styles and takes batch numbers or batch x {styles} mixtures"
    if style is None:
        raise ShapeError(f"{takes}, but got no style; give one for each image.")
    if style.ndim == 2 and not style.is_floating_point():
        raise ShapeError(f"{takes}, but got a mixture of {style.dtype}; mixtures are floating-point numbers.")
    if style.shape not in ((batch,), (batch, styles)):
        raise ShapeError(f"{takes}, but got {_times(style.shape)} for {batch} images; give one for each image.")


def tap(encoder: nn.ModuleDict, image: Tensor, style: Style | None, taps: Sequence[str]) -> dict[str, Tensor]:
    """Return the activations of an encoder's stages by name, in the order asked, and stop at the deepest one.

    The tap `image` is the image itself. Raises ConfigError for a name that is not there.
    """
    _require_taps(taps, ("image", *encoder))
    found = {"image": image}
    x = image
    for name, stage in encoder.items():
        if found.keys() >= set(taps):
            break
        x = found[name] = stage(x, style)
    return {name: found[name] for name in taps}


@torch.compiler.disable  # type: ignore[untyped-decorator]
def observed(network: nn.Module, image: Tensor, taps: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
    """Run a generator once, and return its picture together with its encoder's activations at the taps, by name.

    Raises ConfigError for a name that is not there.
    """
    seen: dict[str, Tensor] = {}
    stages = cast(nn.ModuleDict, network.encoder) if taps else nn.ModuleDict()
    _require_taps(taps, tuple(stages))
    handles = [stages[name].register_forward_hook(partial(_note, seen, name)) for name in taps]
    try:
        return network(image), seen
    finally:
        for handle in handles:
            handle.remove()


def _note(seen: dict[str, Tensor], name: str, _: nn.Module, __: object, output: Tensor) -> None:
    seen[name] = output.clone()  # what follows may work in place


def to_image(x: Tensor) -> Tensor:
    """Squash into [-1, 1], in fp32 (or fp64) whatever the precision before."""
    return torch.tanh(x if x.dtype == torch.float64 else x.float())


def _require_taps(taps: Iterable[str], known: Sequence[str]) -> None:
    for name in taps:
        if name not in known:
            raise ConfigError(unknown("tap", name, known))


def _times(shape: torch.Size) -> str:
    return " x ".join(str(side) for side in shape)
