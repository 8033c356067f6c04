"""Networks of the public CycleGAN, pix2pix and CUT code, recognized by their tensors alone."""

from dataclasses import dataclass

import torch
from torch import nn

from ganstyle.errors import WeightsError
from ganstyle.interop.layouts import blurs_of, layers_of, resnet_starts, their_names
from ganstyle.interop.reading import Tensors, listed
from ganstyle.interop.shapes import misfits
from ganstyle.nn.authors import AuthorsResNet, BlurredPatchGAN
from ganstyle.nn.patchgan import PatchGAN, Pixel
from ganstyle.nn.unet import UNet

DROPOUT = 0.5
"""Their only probability."""
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Normalization:
    """What the tensors say of a network's norms."""

    kind: str
    """`instance` or `batch`."""
    statistics_at_test: str
    """`running` where batch norm has collected statistics, else `batch`."""
    note: str
    """The same for people."""

    @property
    def options(self) -> dict[str, str]:
        """What a network's constructor is told."""
        return {"norm": self.kind, "statistics_at_test": self.statistics_at_test}


def recognize(tensors: Tensors, *, statistics: str | None = None, dropout: bool = False) -> tuple[nn.Module, str]:
    """Build the network that the tensors belong to, with them inside, and say in words what it is.

    `statistics` says what batch norm uses at test, `batch` or `running`; None takes what the file offers. `dropout`
    turns on dropout, which a U-Net's tensors do not tell of, also at test.
    Raises WeightsError, with the tensors named, when they are of no network of that code.
    """
    find = next((find for key, find in FINDERS.items() if _is_kernel(tensors, key)), None)
    if find is None:
        raise WeightsError(_unknown(tensors))
    network, words = find(tensors, statistics, dropout)
    fill(network, tensors)
    return network, words


def fill(network: nn.Module, tensors: Tensors) -> None:
    """Copy tensors under their names into a network.

    Statistics that the network has no use for are left out: instance norm's, which their code ignores since PyTorch
    0.4, and batch norm's where those of the batch are asked for. Raises WeightsError for any other tensor that is
    missing, left over or of another shape, and for filters that are not the published ones.
    """
    names = their_names(network, layers_of(network) or {})
    state = network.state_dict()
    blurs, expected = blurs_of(network), {theirs: state[ours] for ours, theirs in names.items()}
    for name in tensors.keys() & blurs.keys():
        if tensors[name].shape != blurs[name].shape or not torch.allclose(tensors[name], blurs[name], atol=1e-3):
            raise WeightsError(f"the tensor {name} is not the binomial blur of the public code; it cannot be imported.")
    used = {k: v for k, v in tensors.items() if k not in blurs and not (_is_statistic(k) and k not in expected)}
    if told := misfits(used, expected):
        raise WeightsError(f"the tensors are almost those of a {type(network).__name__}, but {told}.")
    network.load_state_dict({ours: used[theirs] for ours, theirs in names.items() if theirs in used}, strict=False)


Found = tuple[nn.Module, str]


def _resnet(tensors: Tensors, statistics: str | None, dropout: bool) -> Found:
    channels = _rgb(tensors, "model.1.weight", reads=True)
    blurred_down = _is_kernel(tensors, "model.8.weight")
    numbers = {int(name.split(".")[1]) for name in tensors if ".conv_block." in name}
    blocks = len(numbers)
    if not blocks:
        raise WeightsError(
            f"the tensors begin like a ResNet, but none is of a residual block (conv_block): {_first(tensors)}."
        )
    first = resnet_starts(blocks, blurred_down, False)[1]
    blurred_up = not _is_kernel(tensors, f"model.{first + blocks}.weight")
    drops = _is_kernel(tensors, f"model.{first}.conv_block.6.weight")
    if dropout and not drops:
        raise WeightsError("dropout was asked for, but these tensors are of a ResNet that was trained without it.")
    norm = normalization(tensors, "model.1", "model.2", statistics)
    network = AuthorsResNet(
        blocks=blocks,
        channels=channels,
        blurred_down=blurred_down,
        blurred_up=blurred_up,
        dropout=DROPOUT if drops else 0.0,
        dropout_at_test=dropout,
        **norm.options,
    )
    end = resnet_starts(blocks, blurred_down, blurred_up)[3]
    _rgb(tensors, f"model.{end}.weight", reads=False)
    return network, _words(
        f"ResNet generator of {blocks} blocks",
        channels,
        norm,
        _blurring(blurred_down, blurred_up),
        _drops(drops, dropout),
    )


def _unet(tensors: Tensors, statistics: str | None, dropout: bool) -> Found:
    channels = _rgb(tensors, "model.model.0.weight", reads=True)
    _rgb(tensors, "model.model.3.weight", reads=False, transposed=True)
    depth, inside = 1, "model.model.1.model"
    while _is_kernel(tensors, f"{inside}.1.weight"):
        depth, inside = depth + 1, f"{inside}.3.model"
    if depth < 3:
        raise WeightsError(
            f"the tensors begin like a U-Net, but have {depth} levels and not 3 or more: {_first(tensors)}."
        )
    norm = normalization(tensors, "model.model.0", "model.model.1.model.2", statistics)
    network = UNet(
        depth=depth,
        channels=channels,
        dropout=DROPOUT if dropout else 0.0,
        dropout_at_test=dropout,
        **norm.options,  # type: ignore[arg-type]
    )
    drops = "dropout at test" if dropout else "dropout, of which the tensors do not tell, off"
    return network, _words(f"U-Net-{2**depth} generator", channels, norm, drops)


def _patchgan(tensors: Tensors, statistics: str | None, dropout: bool) -> Found:
    _no_dropout(dropout)
    blurred = _is_kernel(tensors, "model.3.weight")
    step = 4 if blurred else 3
    convolutions = sum(tensor.ndim == 4 and not name.endswith(".filt") for name, tensor in tensors.items())
    channels, inputs = tensors["model.0.weight"].shape[:2]
    layers = convolutions - 2
    if layers < 1:
        raise WeightsError(
            f"the tensors begin like a PatchGAN, but hold {convolutions} convolutions: {_first(tensors)}."
        )
    norm = normalization(tensors, f"model.{step - 1}", f"model.{step}", statistics)
    kind = BlurredPatchGAN if blurred else PatchGAN
    network = kind(in_channels=inputs, channels=channels, layers=layers, **norm.options)  # type: ignore[arg-type]
    sees = f"sees {inputs} channels"
    return network, _words(
        f"PatchGAN discriminator of {layers} halvings", channels, norm, _blurring(blurred, False), sees
    )


def _pixel(tensors: Tensors, statistics: str | None, dropout: bool) -> Found:
    _no_dropout(dropout)
    channels, inputs = tensors["net.0.weight"].shape[:2]
    norm = normalization(tensors, "net.2", "net.3", statistics)
    network = Pixel(in_channels=inputs, channels=channels, **norm.options)  # type: ignore[arg-type]
    return network, _words("pixel discriminator", channels, norm, f"sees {inputs} channels")


FINDERS = {
    "model.1.weight": _resnet,
    "model.model.0.weight": _unet,
    "model.0.weight": _patchgan,
    "net.0.weight": _pixel,
}
"""By the first kernel of each: the networks of that code have no other names in common."""


def normalization(tensors: Tensors, convolution: str, norm: str, statistics: str | None) -> Normalization:
    """Tell instance from batch norm: only before the first do convolutions have a bias, only the second has weights."""
    biased, weighted = f"{convolution}.bias" in tensors, f"{norm}.weight" in tensors
    if biased == weighted:
        there = f"{convolution}.bias and {norm}.weight" if biased else f"neither {convolution}.bias nor {norm}.weight"
        raise WeightsError(
            f"the tensors hold {there}; the public code has a bias before instance norm and weights in batch norm."
        )
    collected = f"{norm}.running_mean" in tensors
    if biased:
        if statistics == "running":
            raise WeightsError(
                "running statistics were asked for, but these tensors are of instance norm, which uses none."
            )
        return Normalization(
            "instance", "batch", "instance norm" + (", unused statistics dropped" if collected else "")
        )
    collected = collected and not _is_untouched(tensors, norm)
    if statistics == "running" and not collected:
        raise WeightsError(f"running statistics were asked for, but the file has none ({norm}.running_mean).")
    chosen = statistics or ("running" if collected else "batch")
    whose = "running statistics" if chosen == "running" else "statistics of each batch"
    return Normalization("batch", chosen, f"batch norm with {whose}")


def _is_untouched(tensors: Tensors, norm: str) -> bool:
    """Whether batch norm's statistics are still those of the start."""
    mean, variance = (tensors.get(f"{norm}.running_{name}", torch.ones(1)) for name in ("mean", "var"))
    return not bool(mean.any()) and bool((variance == 1).all())


def _is_kernel(tensors: Tensors, name: str) -> bool:
    return name in tensors and tensors[name].ndim == 4


def _is_statistic(name: str) -> bool:
    return name.rpartition(".")[2] in STATISTICS


def _rgb(tensors: Tensors, name: str, *, reads: bool, transposed: bool = False) -> int:
    """Require three channels at an end of a generator, and return how many are on the kernel's other side."""
    if not _is_kernel(tensors, name):
        raise WeightsError(f"the tensors begin like a generator of the public code, but lack the kernel {name}.")
    outputs, inputs = tensors[name].shape[:2]
    if transposed:
        outputs, inputs = inputs, outputs
    colors, channels = (inputs, outputs) if reads else (outputs, inputs)
    if colors != 3:
        verb = "takes" if reads else "gives"
        raise WeightsError(
            f"the generator {verb} {colors} channels ({name}), but ganstyle's are for RGB pictures only."
        )
    return int(channels)


def _no_dropout(dropout: bool) -> None:
    if dropout:
        raise WeightsError("dropout was asked for, but these tensors are of a discriminator, which has none.")


def _words(name: str, channels: int, norm: Normalization, *more: str) -> str:
    return ", ".join(word for word in (name, f"{channels} channels", norm.note, *more) if word)


def _blurring(down: bool, up: bool) -> str:
    places = " and ".join(word for word, there in (("down", down), ("up", up)) if there)
    return f"anti-aliased {places}" if places else ""


def _drops(there: bool, at_test: bool) -> str:
    return "" if not there else "dropout at test" if at_test else "dropout in training"


def _first(tensors: Tensors) -> str:
    return listed(sorted(tensors))


def _unknown(tensors: Tensors) -> str:
    if any(name.startswith("mlp_") for name in tensors):
        return f"the tensors ({_first(tensors)}) are the projection heads of CUT's netF; import its netG or netD."
    return (
        f"the tensors are of no network that ganstyle knows: {_first(tensors)}; see docs/guides/migrate.md for what is."
    )
