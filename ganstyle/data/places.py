"""Places365-Standard: photographs of 365 kinds of scene, small (256 x 256) or large, listed in text files."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ganstyle.data.folders import fingerprint
from ganstyle.data.index import TRAIN, UNKNOWN, VAL, Index, Listing, indexed, place_of, told
from ganstyle.data.lists import lines
from ganstyle.data.readers import Local
from ganstyle.errors import ConfigError, DataError, unknown

SIZES = {
    "small": (("data_256_standard", "data_256"), ("val_256",)),
    "large": (("data_large_standard", "data_large"), ("val_large",)),
}
"""For each size the folders of training and validation, the older names last."""
CATEGORIES, TRAINING, VALIDATION = "categories_places365.txt", "places365_train_standard.txt", "places365_val.txt"
LISTS = (".", "filelist_places365-standard")


def places(root: Path, size: str = "auto", at: Path | None = None) -> Index:
    """Index the photographs of Places365-Standard, with the label category.

    Under `root` lie `data_256_standard/a/airfield/00000001.jpg` and `val_256/Places365_val_00000001.jpg` (or
    `data_large_standard` and `val_large`), and the lists, there or in `filelist_places365-standard`. What the lists
    name and the disk lacks is left out and counted.

    Args:
        root: the folder of the collection.
        size: small, large, or auto, which takes the small one where both are there.
        at: the folder of the index; None puts it under `root`.

    Raises:
        DataError: the folder or a list is missing, or none of the photographs is there.
        ConfigError: there is no such size.
    """
    if size != "auto" and size not in SIZES:
        raise ConfigError(unknown("size of Places", size, ["auto", *SIZES]))
    found = [name for name in (SIZES if size == "auto" else [size]) if _there(root, SIZES[name][0])]
    if not found:
        wanted = " or ".join(folder for name in (SIZES if size == "auto" else [size]) for folder in SIZES[name][0][:1])
        raise DataError(
            f"there is no folder {wanted} in {root}; unpack Places365-Standard there (see data/README.md), or say "
            "where it is: places:FOLDER."
        )
    train, val = (_there(root, folders) for folders in SIZES[found[0]])
    lists = {name: _list(root, name) for name in (CATEGORIES, TRAINING, VALIDATION)}
    plan = {
        "kind": f"places-{found[0]}",
        "folders": [train, val],
        "lists": {name: fingerprint(path) for name, path in lists.items()},
        "changed": _changed(root / str(train), lists[CATEGORIES]),
        "validation changed": (root / val).stat().st_mtime_ns if val else 0,
    }
    folder = place_of(f"places-{found[0]}", root, at)
    listing = partial(_listing, str(train), val, lists)
    index = indexed(folder, plan, listing, Local(root), f"the photographs in {root}")
    return told(index, f"Places365 ({found[0]}) in {root}")


def _there(root: Path, folders: Sequence[str]) -> str | None:
    return next((folder for folder in folders if (root / folder).is_dir()), None)


def _list(root: Path, name: str) -> Path:
    for folder in LISTS:
        if (root / folder / name).is_file():
            return root / folder / name
    raise DataError(
        f"{root} lacks the list {name}; it comes in filelist_places365-standard.tar from places2.csail.mit.edu."
    )


def _categories(path: Path) -> list[tuple[str, int]]:
    """Read the categories, `/f/field/cultivated 141`: their folder and number."""
    if found := [(folder.strip("/"), number) for folder, number in _lines(path)]:
        return found
    raise DataError(f"{path} lists no category, but those of Places365 are lines like /f/field/cultivated 141.")


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the lines of a list: a name and a number."""
    for place, line in lines(path):
        name, _, number = line.rpartition(" ")
        if not name or not number.isdecimal():
            raise DataError(f"line {place} of {path} is {line!r}, but those of Places365 are a name and a number.")
        yield name, int(number)


def _changed(train: Path, categories: Path) -> int:
    """Return when a photograph was last added to a category or removed, in nanoseconds."""
    folders = [train / folder for folder, _ in _categories(categories)]
    return max((folder.stat().st_mtime_ns for folder in folders if folder.is_dir()), default=0)


def _listing(train: str, val: str | None, lists: dict[str, Path]) -> Listing:
    """List what the two lists name."""
    kinds = _categories(lists[CATEGORIES])
    names = [""] * (max(number for _, number in kinds) + 1)
    for folder, number in kinds:
        names[number] = folder.partition("/")[2]
    listed = [(f"{train}/{name.strip('/')}", number) for name, number in _lines(lists[TRAINING])]
    held = [(f"{val}/{name}", number) for name, number in _lines(lists[VALIDATION])] if val else []
    labels = np.array([number for _, number in [*listed, *held]], np.int32)
    split = np.repeat([TRAIN, VAL], [len(listed), len(held)])
    labels[labels >= len(names)] = UNKNOWN
    return Listing([path for path, _ in [*listed, *held]], split, {"category": labels}, {"category": names})
