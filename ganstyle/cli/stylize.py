"""`ganstyle stylize`: photographs in, restyled photographs out."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle.cli.refusals import UsageError, refuse_overwriting, refuse_replacing

if TYPE_CHECKING:
    from ganstyle.stylize.batch import Job
    from ganstyle.stylize.files import Painter, Restyled, Studio
    from ganstyle.stylize.memory import Announce
    from ganstyle.stylize.photograph import Photograph

DETAILS = """\
A picture keeps its size, depth (16 bits in PNG and TIFF), transparency, color profile and metadata. Pictures that
--max-memory does not hold go through in strips or windows, to the same result; a mistake in one
picture of many does not stop the rest, and the exit code is 1 then. Every PNG, JPEG and WebP carries its recipe;
see `ganstyle redo --help`.

--strength goes in a straight line from the photograph (0) to the network's picture (1) and as far beyond (1.5).
--keep-color luminance takes only lightness from the network's picture; mkl moves its colors to the mean and covariance
of the photograph's. --size 2 makes strokes twice as large: the network then works on half the sides.

--backend auto takes, of the artifact and the exports beside it (`ganstyle export`), the fastest whose program is
installed and that has passed parity; pictures that --max-memory does not hold go to PyTorch: exports paint wholes.

examples:
  ganstyle stylize photo.jpg --model examples/models/vangogh --output out.png
  ganstyle stylize photo.jpg --model examples/models/vangogh --strength 0.7 --keep-color luminance --output out.jpg
  ganstyle stylize photo.jpg --model examples/models/vangogh --mask mask.png --feather 20 --output out.png
  ganstyle stylize photographs --model examples/models/vangogh --output paintings
  ganstyle stylize 'photographs/*.jpg' --model examples/models/vangogh --size 2 --max-memory 400MB --output paintings/
  ganstyle stylize - --model examples/models/vangogh --output -
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("photo", metavar="PHOTO", nargs="+", help="a file, a pattern, a folder, or - for stdin")
    parser.add_argument(
        "--model",
        metavar="ARTIFACT",
        type=Path,
        required=True,
        help="folder of a trained artifact, or a file that `ganstyle export` wrote",
    )
    parser.add_argument("--backend", default="auto", help="torch, onnxruntime, openvino or auto (default: %(default)s)")
    parser.add_argument(
        "--output", metavar="OUT", required=True, help="file, whose suffix says the format; a folder for several; or -"
    )
    parser.add_argument("--strength", type=float, default=1.0, help="0 to 1.5 (default: %(default)s)")
    parser.add_argument("--keep-color", default="off", help="luminance, mkl or off (default: %(default)s)")
    parser.add_argument("--size", type=float, default=1.0, help="of the brush, 0.25 to 8 (default: %(default)s)")
    parser.add_argument("--mask", metavar="MASK", type=Path, help="picture of the same size; restyle where it is white")
    parser.add_argument("--feather", type=float, default=0.0, help="pixels from the mask's edge inwards to full")
    parser.add_argument("--seed", type=int, default=0, help="of networks that draw (default: %(default)s)")
    parser.add_argument("--style", help="number or name, for a network of several styles")
    parser.add_argument("--max-memory", metavar="SIZE", help="such as 400MB (default: a quarter of what is free)")
    parser.add_argument("--force", action="store_true", help="replace what is at --output")


def run(words: Namespace) -> int:
    """Restyle the pictures; 1 when one of several could not be."""
    from ganstyle.stylize.batch import jobs

    todo = jobs(words.photo, words.output)
    for job in todo:
        _check(job, words)
    studio = _studio(words)
    if len(todo) == 1:
        _restyle(studio, todo[0], words.force)
        return 0
    return restyle_all(studio, todo, force=words.force)


def _check(job: "Job", words: Namespace) -> None:
    from ganstyle.stylize.batch import STREAM

    _ = job.kind
    if job.target != STREAM:
        refuse_replacing(job.target, (words.mask,))
        refuse_overwriting(job.target, force=words.force)


def _studio(words: Namespace) -> "Studio":
    from ganstyle.stylize.choose import choose
    from ganstyle.stylize.controls import Controls
    from ganstyle.stylize.files import Studio, read_mask
    from ganstyle.stylize.memory import default_memory, memory_of

    if words.feather and words.mask is None:
        raise UsageError("--feather softens the edge of a mask; give --mask, too.")
    controls = Controls(words.strength, words.keep_color, words.size, words.feather, words.seed, words.style)
    memory = memory_of(words.max_memory) if words.max_memory else default_memory()
    mask = None if words.mask is None else read_mask(words.mask)
    choice = choose(words.model, words.backend, partial(print, file=sys.stderr))

    def of(path: Path) -> Studio:
        painter = _opened(path)
        return Studio(painter, str(path), controls, memory, mask, *_telling(painter), instead)

    @cache
    def artifact() -> Studio:
        return of(words.model)

    def fall_back(why: str) -> Studio:
        print(f"{why.partition(';')[0]}; PyTorch paints it in strips.", file=sys.stderr)
        return artifact()

    instead = fall_back if choice.instead else None
    return of(choice.path)


def _opened(path: Path) -> "Painter":
    from ganstyle.backends.opened import opened

    return opened(path)


def _telling(painter: "Painter") -> tuple["Announce", Callable[[], None]]:
    """Who is told of a picture's plan, and of its end."""
    from ganstyle.backends.model import Model
    from ganstyle.stylize.memory import silent

    if isinstance(painter, Model):
        return silent, lambda: None
    from ganstyle.cli.progress import Teller

    teller = Teller(painter.network)  # type: ignore[attr-defined]
    return teller.announce, teller.end


def _restyle(studio: "Studio", job: "Job", force: bool) -> None:
    from ganstyle.stylize.batch import STREAM
    from ganstyle.stylize.encode import encoded

    restyled = studio.restyled(_read(job.source))
    if job.target == STREAM:
        _pass_on(encoded(restyled.photo, job.kind, restyled.recipe))
        _tell_left_out("the picture", job, restyled)
        return
    _write(job, restyled, force=force)
    print(job.target)


def _pass_on(content: bytes) -> None:
    """Write to standard output; whoever reads there and stops is heard by the command itself."""
    from ganstyle.errors import ImageError

    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageError(f"cannot write to standard output: {error.strerror or error}.") from None


def _write(job: "Job", restyled: "Restyled", *, force: bool) -> None:
    """Write a file, and say what its format has no place for."""
    from ganstyle.stylize.encode import encoded, publish

    publish(encoded(restyled.photo, job.kind, restyled.recipe), job.target, force=force)
    _tell_left_out(str(job.target), job, restyled)


def _tell_left_out(name: str, job: "Job", restyled: "Restyled") -> None:
    from ganstyle.stylize.encode import left_out

    if (without := left_out(restyled.photo, job.kind, restyled.recipe)) is not None:
        print(f"{name} is without {without}.", file=sys.stderr)


def _read(source: Path) -> "Photograph":
    from ganstyle.stylize.batch import STREAM
    from ganstyle.stylize.photograph import decoded, read

    return decoded(sys.stdin.buffer.read(), "standard input") if source == STREAM else read(source)


def restyle_all(studio: "Studio", todo: list["Job"], *, force: bool) -> int:
    """Go on after a picture that fails, and tell all failures at the end; without `force`, nothing is replaced."""
    from ganstyle.stylize.pipeline import pipelined

    failures, write = [], partial(_write, force=force)
    for job, error in pipelined(todo, read=lambda job: _read(job.source), paint=studio.restyled, write=write):
        if error is None:
            print(job.target)
        else:
            failures.append(str(error) or type(error).__name__)
    if failures:
        print(f"{len(failures)} of {len(todo)} pictures could not be restyled:", file=sys.stderr)
        print("\n".join(f"  {failure}" for failure in failures), file=sys.stderr)
    return 1 if failures else 0
