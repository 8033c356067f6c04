"""Which files go in, and what comes out of each."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ganstyle import decode
from ganstyle.errors import GanstyleError

STREAM = Path("-")
"""Stands for standard input, and for standard output."""


class BatchError(GanstyleError):
    """Inputs and an output that do not fit together."""


class Job(NamedTuple):
    """One picture's way."""

    source: Path
    target: Path

    @property
    def kind(self) -> str:
        """The format of the target: by its name, PNG for standard output."""
        return "PNG" if self.target == STREAM else decode.format_of(self.target)


def jobs(inputs: Sequence[str], output: str) -> list[Job]:
    """Say which file each picture becomes.

    An input is a file, a pattern such as `*.jpg`, a folder (with all that is below it), or `-`. One file becomes the
    output; several go into the output as a folder, under their own names, those of a folder at their places in it. What
    lies in the output already is none of a folder's pictures.
    Raises BatchError when there is nothing to do, two pictures would become one, or an output is its own input.
    """
    single = len(inputs) == 1 and not Path(inputs[0]).is_dir() and not _is_pattern(inputs[0])
    if single and not (output.endswith("/") or Path(output).is_dir()):
        return _checked([Job(Path(inputs[0]), Path(output))])
    if output == "-":
        raise BatchError("standard output takes one picture; give a folder as --output.")
    if Path(output).is_file():
        raise BatchError(f"{output} is a file, but several pictures need a folder; give another --output.")
    found = [Job(source, Path(output) / place) for word in inputs for source, place in _found(word, Path(output))]
    return _checked([job._replace(target=_writable(job.target)) for job in found])


def _found(word: str, output: Path) -> list[tuple[Path, Path]]:
    """The pictures that one word stands for, each with its place below the output."""
    path = Path(word)
    if path.is_dir():
        pictures = sorted(inner for inner in path.rglob("*") if decode.is_picture(inner) and inner.is_file())
        places = [picture.relative_to(path) for picture in pictures]
        results = Path(os.path.relpath(output.resolve(), path.resolve()))
        own = [(path / place, place) for place in places if results not in place.parents[:-1]]
        return _some(own, f"there is no picture in {path}.")
    if _is_pattern(word):
        paths = sorted(Path(name) for name in glob.glob(word, recursive=True) if Path(name).is_file())  # noqa: PTH207
        return _some([(found, Path(found.name)) for found in paths], f"no file is called like {word!r}.")
    return [(path, Path("stdin.png" if path == STREAM else path.name))]


def _some(found: list[tuple[Path, Path]], otherwise: str) -> list[tuple[Path, Path]]:
    if not found:
        raise BatchError(otherwise)
    return found


def _is_pattern(word: str) -> bool:
    return glob.has_magic(word) and not Path(word).exists()


def _writable(target: Path) -> Path:
    """A format that can only be read becomes PNG."""
    return target if target.suffix.lower() in decode.FORMATS else target.with_suffix(".png")


def _checked(todo: list[Job]) -> list[Job]:
    seen: dict[Path, Path] = {}
    for source, target in todo:
        if target in seen:
            raise BatchError(f"{seen[target]} and {source} would both become {target}; rename one.")
        if target != STREAM and target.exists() and source != STREAM and source.exists() and target.samefile(source):
            raise BatchError(f"{target} would replace the photograph itself; give another --output.")
        seen[target] = source
    return todo
