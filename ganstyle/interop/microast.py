"""The published tensors of MicroAST, and the plain network that one painting makes of them."""

from ganstyle.errors import WeightsError
from ganstyle.interop.reading import Tensors
from ganstyle.interop.shapes import misfits
from ganstyle.nn.microast import MicroAST, MicroASTStyle
from ganstyle.types import Image

NAME = "MicroAST generator of Wang et al. 2023"


def arbitrary(tensors: Tensors) -> MicroAST:
    """Build the network for any style; raises WeightsError with the tensors named when they are not that network's."""
    network = MicroAST()
    named = {name.replace(".conv_layer", ""): tensor for name, tensor in tensors.items()}
    if told := misfits(named, network.state_dict()):
        raise WeightsError(f"these {len(tensors)} tensors are not the {len(network.state_dict())} of MicroAST: {told}.")
    network.load_state_dict(named)
    return network.eval()


def microast(tensors: Tensors, painting: Image | None) -> tuple[MicroASTStyle, str]:
    """Build the network for one painting. Raises WeightsError for foreign tensors, or without a painting."""
    network = arbitrary(tensors)
    if painting is None:
        raise WeightsError(
            "these are the tensors of MicroAST, which takes its style from a painting; give --style one."
        )
    rows, columns = painting.shape[-2:]
    return MicroASTStyle.of(network, painting), f"{NAME}, in the style of a painting of {columns} x {rows} pixels"
