"""Networks go through torch.compile without a graph break, and through torch.export in every size.

Run by test_compile.py in a process of its own: the run-time checks of shapes cannot be traced.
"""

import pytest
import torch
from torch import nn
from torch.export import Dim, export

from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import MultiScale, PatchGAN
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

GENERATORS = [
    UNet(depth=3, channels=4, dropout_at_test=False),
    ResNet(blocks=1, channels=4),
    Light(blocks=1, channels=4),
    Light(blocks=1, channels=4, upsampling="pixel_shuffle", styles=2),
]
CRITICS = [PatchGAN(channels=4, layers=1, norm="none", spectral=True), MultiScale(scales=2, channels=4, layers=1)]


@pytest.mark.parametrize("network", GENERATORS, ids=lambda network: type(network).__name__)
def test_an_exported_generator_takes_other_sizes_and_batches(network: nn.Module) -> None:
    def inputs(*shape: int) -> tuple[torch.Tensor, ...]:
        style = (torch.arange(shape[0]) % 2,) if network.arguments["styles"] else ()
        return torch.rand(*shape), *style

    free = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    shapes = (free, {0: Dim.DYNAMIC}) if network.arguments["styles"] else (free,)
    exported = export(network.eval(), inputs(2, 3, 32, 40), dynamic_shapes=shapes).module()
    other = inputs(3, 3, 16, 48)
    torch.testing.assert_close(exported(*other), network(*other))


@pytest.mark.parametrize("network", [*GENERATORS[:3], *CRITICS], ids=lambda network: type(network).__name__)
def test_a_network_compiles_without_a_graph_break(network: nn.Module) -> None:
    """The back end that only traces: what is tested is that tracing sees one graph, forward and backward."""
    compiled, image = torch.compile(network.eval(), backend="aot_eager", fullgraph=True), torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(compiled(image), network(image))
