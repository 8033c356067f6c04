"""`ganstyle import`: weights of other programs, taken in."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ganstyle.cli.refusals import UsageError, refuse_overwriting

DETAILS = """\
Takes what the public CycleGAN, pix2pix and CUT code saves (latest_net_G.pth, latest_net_G_A.pth, latest_net_D.pth ...),
the .pth files of PyTorch's fast_neural_style example, fast_style's TensorFlow tensors, and MicroAST with a painting.
The network is told by the tensors alone and named in one line; what does not fit is refused, with the tensors named.
Nothing in a file is run.

A generator becomes an artifact for `ganstyle stylize` and `ganstyle evaluate`; a discriminator becomes one
.safetensors file to go on training from. docs/guides/migrate.md has all of it, and what each option is called here.

What their test.py shows without --eval is --statistics batch --dropout for pix2pix with a U-Net.

examples:
  ganstyle import checkpoints/monet/latest_net_G_A.pth --output models/monet
  ganstyle import checkpoints/facades/latest_net_G.pth --statistics batch --dropout --output models/facades
  ganstyle import saved_models/mosaic.pth --output models/mosaic
  ganstyle import microast.safetensors --style painting.jpg --output models/painting
  ganstyle import checkpoints/monet/latest_net_D_A.pth --output models/monet_discriminator.safetensors
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what torch.save wrote, or a .safetensors file")
    parser.add_argument(
        "--output",
        metavar="ARTIFACT",
        type=Path,
        required=True,
        help="folder; for a discriminator, a .safetensors file",
    )
    parser.add_argument(
        "--statistics", choices=("batch", "running"), help="of batch norm at test (default: running, if there are any)"
    )
    parser.add_argument("--dropout", action="store_true", help="dropout at test, as a source of noise")
    parser.add_argument("--style", metavar="PAINTING", type=Path, help="picture whose style MicroAST takes")
    parser.add_argument("--licence", default="unstated", help="of the weights, for the card (default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="replace what is at --output")


def run(words: Namespace) -> int:
    """Import a file, and say what it was and where it is."""
    from ganstyle.interop.weights import Choices, import_weights, keep

    refuse_overwriting(words.output, force=words.force)
    found = import_weights(words.file, Choices(words.statistics, words.dropout, words.style))
    output = words.output
    if not found.is_generator and output.suffix != ".safetensors":
        raise UsageError(f"{words.file} is a {found.words}; give --output a name that ends in .safetensors.")
    keep(found, output, licence=words.licence)
    print(f"{words.file}: {found.words}\n{output}")
    return 0
