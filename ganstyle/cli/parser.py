"""The grammar of the command line, and the words for what does not fit it."""

import argparse
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, NoReturn

from ganstyle import __version__
from ganstyle.cli import commands, compress, evaluate, export, figures, imports, redo, stylize, sweep
from ganstyle.cli.refusals import UsageError
from ganstyle.errors import unknown

DESCRIPTION = "Use and look after style-transfer GANs. They are trained by `python train.py`; see its --help."
TOUR = """\
a first tour:
  ganstyle stylize photo.jpg --model examples/models/vangogh --output out.png
  ganstyle info examples/models/vangogh             what an artifact is, and how it was made
  ganstyle fetch vangogh2photo                      bring a public data set into data/
  ganstyle doctor data/vangogh2photo                look for what would spoil a run on it
  ganstyle evaluate --model MODEL --data DATA --output report       is it better than recoloring?
  python train.py experiment=vangogh                train; the run folder ends with an artifact

`ganstyle COMMAND --help` explains a command. A mistake is told in one sentence on stderr, with exit code 2.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are GanstyleErrors, told like every other mistake."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UsageError(f"{message}; see `{self.prog} --help`.")


class Command(NamedTuple):
    """One of ganstyle's commands."""

    run: Callable[[argparse.Namespace], int]
    summary: str
    details: str
    """The help's last part: what is worth knowing, and examples."""
    arguments: Callable[[argparse.ArgumentParser], None]


def parse(words: list[str]) -> argparse.Namespace:
    """Understand a command line; `run` in the result is the command's function.

    Raises UsageError, with the nearest name, for a command, option or argument that does not exist.
    """
    parser, of_command = _parsers()
    if not words:
        parser.error("say what to do: a command is missing")
    command = next((word for word in words if not word.startswith("-")), None)
    if command is not None and command not in of_command:
        raise UsageError(unknown("command", command, of_command))
    _refuse_unknown_options(words, of_command[command] if command else parser)
    try:
        return parser.parse_args(words)
    except UsageError:
        if command is None or words[0] != command:
            raise
        with suppress(UsageError):  # argparse takes no further word after an option unless it is asked to
            return of_command[command].parse_intermixed_args(words[1:])
        raise


def _refuse_unknown_options(words: list[str], parser: argparse.ArgumentParser) -> None:
    """Look for misspelt options first: argparse would complain of a missing one instead."""
    known = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", parser.format_help())) | {"--version"}
    for word in words[: words.index("--")] if "--" in words else words:
        option = word.split("=")[0]
        if option.startswith("-") and option not in {"-", *known}:
            near = get_close_matches(option, sorted(known), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"see `{parser.prog} --help`."
            raise UsageError(f"`{parser.prog}` has no option {option!r}; {hint}")


def _parsers() -> tuple[Parser, Mapping[str, argparse.ArgumentParser]]:
    """The whole parser, and the parser of each command by name."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser("ganstyle", description=DESCRIPTION, epilog=TOUR, formatter_class=raw, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ganstyle {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a mistake")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    of_command = {}
    for name, command in COMMANDS.items():
        about = command.summary[0].upper() + command.summary[1:] + "."
        part = group.add_parser(
            name,
            help=command.summary,
            description=about,
            epilog=command.details,
            formatter_class=raw,
            allow_abbrev=False,
        )
        command.arguments(part)
        part.add_argument("--debug", action="store_true", help="show the traceback of a mistake")
        part.set_defaults(run=command.run)
        of_command[name] = part
    return parser, of_command


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact", metavar="ARTIFACT", type=Path, help="folder of a trained artifact")
    parser.add_argument("--json", action="store_true", help="print the card as JSON")


def _fetch_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="a data set; without a name, all are listed")
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, default=Path("data"), help="where data sets live (default: %(default)s)"
    )


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", type=Path, nargs="+", help="folder of a data set, or of pictures")


def _artifact_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint", metavar="CHECKPOINT", type=Path, help="a .ckpt file, or a run folder for its last one"
    )
    parser.add_argument("--output", metavar="FOLDER", type=Path, required=True, help="folder for the artifact")
    _force(parser)


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace what is at --output")


COMMANDS: Mapping[str, Command] = {
    "stylize": Command(
        stylize.run,
        "restyle pictures; each keeps its size",
        stylize.DETAILS,
        stylize.arguments,
    ),
    "redo": Command(
        redo.run,
        "make a restyled picture again, by the recipe that it carries",
        redo.DETAILS,
        redo.arguments,
    ),
    "export": Command(
        export.run,
        "make one file of an artifact, for onnxruntime, OpenVINO or PyTorch alone",
        export.DETAILS,
        export.arguments,
    ),
    "compress": Command(
        compress.run,
        "teach, prune and quantize a smaller network that paints the same",
        compress.DETAILS,
        compress.arguments,
    ),
    "info": Command(
        commands.info,
        "print what an artifact is and how it was made",
        """\
Reads the card only; nothing is loaded or run.

examples:
  ganstyle info examples/models/vangogh
  ganstyle info examples/models/vangogh --json
""",
        _info_arguments,
    ),
    "fetch": Command(
        commands.fetch,
        "bring a public data set, or list them",
        """\
A download that breaks off goes on where it stopped when the command is given again. The archive's SHA-256 is
verified before it is unpacked; for archives without a published sum, the first download's is kept and held to.

examples:
  ganstyle fetch
  ganstyle fetch vangogh2photo
  ganstyle fetch maps --to /data/sets
""",
        _fetch_arguments,
    ),
    "doctor": Command(
        commands.doctor,
        "look for what would spoil a training run",
        """\
Opens every file and reports counts, sizes, modes, duplicates, pictures that are in training and test,
and files that cannot be read. Exit code 1: a run on this data would fail.

examples:
  ganstyle doctor data/vangogh2photo
  ganstyle doctor my/photographs my/paintings
""",
        _doctor_arguments,
    ),
    "artifact": Command(
        commands.artifact,
        "make an artifact from a training checkpoint",
        """\
A run makes its artifact when it ends; this makes one of a checkpoint on the way. A method with two generators
(CycleGAN) gives two, in folders of their own below --output.

examples:
  ganstyle artifact runs/vangogh/2026-11-21_10-00-00/checkpoints/best.ckpt --output models/best
""",
        _artifact_arguments,
    ),
    "sweep": Command(
        sweep.run,
        "search for the configuration that scores best",
        sweep.DETAILS,
        sweep.arguments,
    ),
    "import": Command(
        imports.run,
        "take in weights that another program trained",
        imports.DETAILS,
        imports.arguments,
    ),
    "evaluate": Command(
        evaluate.run,
        "judge a model, or any program's results, on both sides: content and style",
        evaluate.DETAILS,
        evaluate.arguments,
    ),
    "figures": Command(
        figures.run,
        "draw the figures of a run or a report again",
        figures.DETAILS,
        figures.arguments,
    ),
}
