"""`ganstyle doctor`: look at every file of a data set before a run trips over it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ganstyle.data.duplicates import Look, alike, look
from ganstyle.data.folders import pictures_in
from ganstyle.data.pairs import Pair, check, held_out_twins, twins
from ganstyle.errors import DataError, ImageError
from ganstyle.images import FORMATS, Header, header, read

SPLITS = ("train", "val", "test")
SHOWN = 5
"""How many files a finding names before it only counts."""
SMALL = 64
"""Pixels; a short side below this is enlarged so much that it is worth a word."""


@dataclass
class Report:
    """What the doctor found."""

    summary: list[str] = field(default_factory=list)
    """One line per folder: how many pictures, of which sizes, modes and formats."""
    errors: list[str] = field(default_factory=list)
    """Each would make a run fail."""
    warnings: list[str] = field(default_factory=list)
    """Each is worth knowing; a run goes on."""

    @property
    def failed(self) -> bool:
        """Whether a run on this data would fail."""
        return bool(self.errors)

    def text(self) -> str:
        """Word the report: folders, errors, warnings, verdict."""
        count = f"{len(self.errors)} error{'s' * (len(self.errors) > 1)}"
        verdict = f"{count}: a run would fail." if self.failed else "a run can start."
        lines = [*self.summary, *(f"error: {e}" for e in self.errors), *(f"warning: {w}" for w in self.warnings)]
        return "\n".join([*lines, verdict])


@dataclass(frozen=True)
class Patient:
    """One file that could be read."""

    folder: Path
    path: Path
    header: Header
    look: Look


def examine(folders: Sequence[Path | str]) -> Report:
    """Open every picture in collections (`train val test`, `trainA trainB testA testB`) or plain folders.

    Each folder of a collection is counted; files that cannot be read and pairs that do not match are errors; pictures
    that look alike within a folder or between training and test, wrong suffixes and very small pictures are warnings.
    """
    report, patients = Report(), list[Patient]()
    for root in map(Path, folders):
        for folder in _parts(root):
            patients += _ward(folder, report)
        _miss_twin(root, report)
        _match(root, report)
    _find_copies(patients, report)
    return report


def _parts(root: Path) -> list[Path]:
    """Return the folders of a collection that hold pictures of one kind, or the folder itself."""
    names = [split + side for split in SPLITS for side in ("", "A", "B")]
    return [root / name for name in names if (root / name).is_dir()] or [root]


def _ward(folder: Path, report: Report) -> list[Patient]:
    """Read every picture of a folder and note what is wrong with it."""
    try:
        paths = pictures_in(folder)
    except DataError as error:
        report.errors.append(str(error))
        return []
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda path: _read(folder, path), paths))
    patients = [result for result in results if isinstance(result, Patient)]
    _note(report.errors, "cannot be read", [result for result in results if isinstance(result, str)])
    report.summary.append(_summary(folder, len(paths), patients))
    _note(report.warnings, "named after another format", [_misnamed(p) for p in patients if _misnamed(p)])
    small = [f"{p.path} ({p.header.width} x {p.header.height})" for p in patients if min(p.header[:2]) < SMALL]
    _note(report.warnings, f"smaller than {SMALL} pixels and enlarged for training", small)
    return patients


def _read(folder: Path, path: Path) -> Patient | str:
    """Decode a file whole; return what is wrong if that fails."""
    try:
        return Patient(folder, path, header(path), look(read(path)))
    except ImageError as error:
        return str(error)


def _summary(folder: Path, count: int, patients: Sequence[Patient]) -> str:
    """Describe a folder in one line."""
    if not patients:
        return f"{folder}: {count} pictures, none readable"
    sides = sorted((p.header.height * p.header.width, f"{p.header.width} x {p.header.height}") for p in patients)
    sizes = sides[0][1] if sides[0] == sides[-1] else f"{sides[0][1]} to {sides[-1][1]}"
    modes, formats = (Counter(p.header[index] for p in patients) for index in (2, 3))
    return f"{folder}: {count} pictures, {sizes}; {_tally(modes)}; {_tally(formats)}"


def _tally(counts: Counter[str | int]) -> str:
    """Word a count, the commonest first: "250 RGB, 3 CMYK"."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _misnamed(patient: Patient) -> str:
    """Say what a file is if its suffix says something else; else nothing."""
    named, found = FORMATS.get(patient.path.suffix.lower()), patient.header.format
    return "" if named in (None, found) or (named, found) == ("JPEG", "MPO") else f"{patient.path} is {found}"


def _miss_twin(root: Path, report: Report) -> None:
    """Note that one of two training folders is there without the other, which is what a run on `root` needs."""
    there = [root / f"train{side}" for side in "AB" if (root / f"train{side}").is_dir()]
    if len(there) == 1 and not (root / "train").is_dir():
        lacking = "trainB" if there[0].name == "trainA" else "trainA"
        report.errors.append(
            f"{root} has a folder {there[0].name} but no {lacking}, which data.root needs; look at {there[0]} alone if "
            "it is one of two folders named by data.source and data.target."
        )


def _match(root: Path, report: Report) -> None:
    """Check pairs, where a collection is paired."""
    try:
        for pairs in _pairs(root):
            for pair in pairs:
                _check(pair, report)
    except DataError as error:
        report.errors.append(str(error))


def _pairs(root: Path) -> Iterator[list[Pair]]:
    """Yield the pairs of every split: both halves in one file, or twins if any training picture has one."""
    for split in SPLITS:
        first, second = root / f"{split}A", root / f"{split}B"
        if (root / split).is_dir():
            yield [(path,) for path in pictures_in(root / split)]
        if first.is_dir() and second.is_dir() and _stems(first) & _stems(second):
            yield twins(first, second)
            if split == SPLITS[0]:
                held_out_twins(first, second)


def _stems(folder: Path) -> set[str]:
    """Return the names of a folder's pictures without suffix."""
    return {path.stem for path in pictures_in(folder)}


def _check(pair: Pair, report: Report) -> None:
    """Check one pair; a file that cannot be read has been noted already."""
    try:
        check([pair])
    except ImageError:
        return
    except DataError as error:
        report.errors.append(str(error))


def _find_copies(patients: Sequence[Patient], report: Report) -> None:
    """Note pictures that look alike, in one folder and between training and test."""
    copies, leaks = list[str](), list[str]()
    for one, other in ((patients[i], patients[j]) for i, j in alike([patient.look for patient in patients])):
        held_out = {p.folder.name.startswith(("val", "test")) for p in (one, other)}
        (leaks if len(held_out) == 2 else copies).append(f"{one.path} = {other.path}")
    _note(report.warnings, "look alike", copies)
    _note(report.warnings, "look alike in training and test, so that scores are too good", leaks)


def _note(notes: list[str], what: str, cases: Sequence[str]) -> None:
    """Write one finding down, naming its first few cases."""
    if cases:
        more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
        notes.append(f"{len(cases)} {what}: {'; '.join(case.rstrip('.') for case in islice(cases, SHOWN))}{more}")
