"""ArtFID: how near results are to a collection and to their photographs at once, in one number.

As a product it can reward doing nothing; it is here because others print it, and stays outside the headline.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torchvision.models import inception_v3

from ganstyle.errors import WeightsError
from ganstyle.metrics.absent import Absent
from ganstyle.metrics.distribution import PER_DIMENSION, frechet, paintings
from ganstyle.metrics.intervals import HALVES, Interval, around, half_samples
from ganstyle.metrics.lpips import PairDistance, lpips
from ganstyle.metrics.published import Published, published_file
from ganstyle.metrics.sets import Bytes, as_images
from ganstyle.nn.vgg_files import tensors_in

NAME = "artfid"
ART_INCEPTION = Published(
    "the art Inception",
    "https://huggingface.co/matthias-wright/art_inception/resolve/main/art_inception.pth",
    "",
    "--artfid",
)
"""An Inception-v3 trained on artists and styles; its authors publish no hash."""
BATCH = 8


@dataclass(frozen=True)
class ArtNetworks:
    """The two networks that ArtFID is defined on."""

    features: Callable[[Bytes], Float[Tensor, "_ _"]]
    dimensions: int
    content: PairDistance
    """LPIPS on AlexNet."""


class Pictures(NamedTuple):
    """What ArtFID compares."""

    results: Bytes
    photographs: Bytes
    """What each result was made from."""
    crops: Bytes
    """Of the collection."""
    painting: Int[Tensor, " crops"]
    """The number of the painting that each crop comes from."""


def artfid(pictures: Pictures, networks: ArtNetworks | None, *, seed: int, draws: int = HALVES) -> Interval | Absent:
    """(1 + LPIPS to the photographs) (1 + Frechet distance to the collection), on its own two networks only.

    Its Frechet distance needs as many pictures as any: ten for each feature dimension on either side.

    Args:
        pictures: results, what they were made from, and crops of the collection.
        networks: the published ones, or None where they were not given.
        seed: of the half samples.
        draws: how many half samples the interval rests on.

    Source: Wright & Ommer 2022.
    """
    if networks is None:
        return Absent(NAME, f"its own networks were not given by {ART_INCEPTION.option}")
    fewest = min(len(pictures.results), paintings(pictures.painting))
    needed = PER_DIMENSION * networks.dimensions
    if fewest < needed:
        return Absent(NAME, f"its Frechet distance needs {needed} pictures on either side and there are {fewest}")
    results, references = (networks.features(part).double() for part in (pictures.results, pictures.crops))
    apart = networks.content(as_images(pictures.photographs), as_images(pictures.results)).double()

    def score(own: Int[Tensor, "_"], other: Int[Tensor, "_"]) -> float:
        return float(1 + apart[own].mean()) * (1 + frechet(results[own], references[other]))

    drawn = [score(*half) for half in half_samples(len(results), pictures.painting, seed, draws)]
    everything = score(torch.arange(len(results)), torch.arange(len(references)))
    return around(everything, torch.tensor(drawn, dtype=torch.float64))


def art_networks(given: str | Path, alexnet: str | Path, published: Published = ART_INCEPTION) -> ArtNetworks:
    """Build ArtFID's networks from files or, for "download", from the internet.

    Args:
        given: the Inception that its authors trained on art.
        alexnet: torchvision's AlexNet, for LPIPS.
        published: the file to expect, if not the authors'.

    Raises:
        WeightsError: a file is missing, another one or damaged.
    """
    network = _inception(published_file(published, given), published)

    @torch.inference_mode()
    def features(pictures: Bytes) -> Float[Tensor, "_ 2048"]:
        """Describe pictures in [0, 1] at their own size, as the authors do."""
        return torch.cat([network((as_images(part) + 1) / 2) for part in torch.split(pictures, BATCH)])

    return ArtNetworks(features, 2048, lpips(alexnet, "alex"))


def _inception(file: Path, published: Published) -> nn.Module:
    """Build torchvision's Inception-v3, whose two classifiers, for artists and styles, are left out."""
    network: nn.Module = inception_v3(weights=None, aux_logits=False, transform_input=False, init_weights=False)
    network.fc = nn.Identity()
    heads = ("fc1.", "fc2.", "AuxLogits1.", "AuxLogits2.")
    state = tensors_in(file)
    try:
        network.load_state_dict({name: value for name, value in state.items() if not name.startswith(heads)})
    except RuntimeError as error:
        raise WeightsError(f"{str(file)!r} is not {published.name}; get it from {published.url}.") from error
    return network.requires_grad_(False).eval()
