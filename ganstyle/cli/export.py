"""`ganstyle export`: an artifact as one file that other programs run."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ganstyle.cli.refusals import UsageError, refuse_overwriting, refuse_replacing

DETAILS = """\
The file takes pictures of any size and number (U-Nets: sides in multiples of their number, and stylize pads), holds the
artifact's card, and is all that `ganstyle stylize --model FILE` needs. It is run beside the artifact first, on three
sizes; the report goes into FILE.parity.json, and where it is beyond the bound of its precision, nothing is written and
the exit code is 1. Without --output it goes beside the artifact, where `--backend auto` finds it.

  onnx          for onnxruntime; fp16 and bf16 halve the file, int8 computes in 8 bits
  openvino      for OpenVINO (an .xml and a .bin file); bf16 and int8 compute in it
  torch-export  for PyTorch, without ganstyle's code; fp16 and bf16 compute in it
  safetensors   the weights and the card in one file
  pytorch-cyclegan   a generator under the names of the public CycleGAN and CUT code (docs/guides/migrate.md)

int8 needs photographs to calibrate on; layers that it would harm stay in floats until it comes within 40 dB.

examples:
  ganstyle export examples/models/vangogh --to onnx
  ganstyle export examples/models/vangogh --to openvino --precision bf16
  ganstyle export examples/models/vangogh --to onnx --precision int8 --calibrate photographs
  ganstyle stylize photo.jpg --model examples/models/vangogh.int8.onnx --output out.png
"""


FOREIGN = "pytorch-cyclegan"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("artifact", metavar="ARTIFACT", type=Path, help="folder of a trained artifact")
    parser.add_argument("--to", metavar="FORMAT", required=True, help="one of those above")
    parser.add_argument("--precision", default="fp32", help="fp32, fp16, bf16 or int8 (default: %(default)s)")
    parser.add_argument("--calibrate", metavar="FOLDER", type=Path, help="photographs to calibrate and to judge on")
    parser.add_argument("--no-noise", action="store_true", help="leave out what a network draws at test (dropout)")
    parser.add_argument("--output", metavar="FILE", type=Path, help="default: beside the artifact, NAME.PRECISION.onnx")
    parser.add_argument("--force", action="store_true", help="replace what is at --output")


def run(words: Namespace) -> int:
    """Export, and say how faithful the file is; 1 when it is not faithful enough."""
    from ganstyle.backends.reports import files_of
    from ganstyle.export.errors import ParityError
    from ganstyle.export.write import default_output, export

    if words.to == FOREIGN:
        return _to_pytorch_cyclegan(words)
    output = words.output or default_output(words.artifact, words.to, words.precision)
    for file in files_of(output):
        refuse_replacing(file, words.artifact.glob("*"))
        refuse_overwriting(file, force=words.force)
    try:
        done = export(
            words.artifact,
            output,
            to=words.to,
            precision=words.precision,
            calibrate=words.calibrate,
            noise=not words.no_noise,
        )
    except ParityError as error:
        print(error, file=sys.stderr)
        return 1
    rows, speed = done.report["sizes"], done.report["speed"]
    print(
        f"{output}: off by {max(row['max'] for row in rows):.2g} at most, {min(row['psnr'] for row in rows):.0f} dB; "
        f"{speed['milliseconds']:g} ms a picture of {speed['side']} pixels (PyTorch: {speed['torch_milliseconds']:g})"
    )
    return 0


def _to_pytorch_cyclegan(words: Namespace) -> int:
    """Write weights alone, under the names of the public CycleGAN code; say where that code would differ."""
    from ganstyle.interop.outward import write_pytorch_cyclegan

    folder = words.artifact.resolve()
    output = words.output or folder.parent / f"{folder.name}_net_G.pth"
    if words.precision != "fp32" or words.calibrate or words.no_noise:
        raise UsageError(
            f"--to {FOREIGN} writes the weights as they are; leave out --precision, --calibrate and --no-noise."
        )
    refuse_replacing(output, words.artifact.glob("*"))
    refuse_overwriting(output, force=words.force)
    notes = write_pytorch_cyclegan(words.artifact, output)
    print("\n".join([str(output), *notes]))
    return 0
