"""The one network on which a Frechet distance is called FID."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.errors import WeightsError
from ganstyle.metrics.distribution import PUBLISHED
from ganstyle.metrics.published import Published, hash_of, published_file
from ganstyle.metrics.sets import Bytes
from ganstyle.nn.vgg_files import tensors_in

FID_INCEPTION = Published(
    "the FID Inception",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    "--inception",
)
"""The network of 2015-12-05 that Heusel et al. 2017 judge with, converted to PyTorch; also known as pt_inception."""
LAYER = "2048"
BATCH = 16


@dataclass(frozen=True)
class Inception:
    """Features for judging, in torch-fidelity's faithful copy of the original."""

    network: nn.Module
    sha256: str
    name: str = PUBLISHED

    @torch.inference_mode()
    def __call__(self, pictures: Bytes) -> Float[Tensor, "_ 2048"]:
        """Describe pictures of any size; the network itself brings them to 299 x 299, as the original does."""
        return torch.cat([self.network(batch)[0] for batch in torch.split(pictures, BATCH)])


def inception(given: str | Path, published: Published = FID_INCEPTION) -> Inception:
    """Build the published Inception from a file, or for "download" from the internet.

    Raises:
        WeightsError: torch-fidelity is not installed, or the file is missing, another one or damaged.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise WeightsError(
            "the FID Inception runs in torch-fidelity, which is not installed; run pip install 'ganstyle[metrics]'."
        ) from error
    file = published_file(published, given)
    plain = BytesIO()
    torch.save(tensors_in(file), plain)
    plain.seek(0)
    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", [LAYER], feature_extractor_weights_path=plain)
    except RuntimeError as error:
        raise WeightsError(f"{str(file)!r} does not hold the layers of {published.name}; download it again.") from error
    return Inception(network, hash_of(file))
