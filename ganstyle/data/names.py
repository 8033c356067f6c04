"""Names that differ between a list and a disk: garbled or lost accents, copies called `(1)`."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

WRONG = ("cp437", "latin-1", "cp1252")
"""Encodings as which UTF-8 is often mistaken, first of all by programs that unpack zip archives."""
COPY = re.compile(r"\s*\(\d+\)(?=\.\w+$|$)")


def matched(wanted: Sequence[str], there: Iterable[str]) -> list[str | None]:
    """Find for every wanted name the file that bears it, by ever looser comparison; None where there is none.

    A file is given to one name only, the exact ones first; a loose match that is ambiguous is none.
    """
    found: list[str | None] = [None] * len(wanted)
    free = dict.fromkeys(there)
    for key in (str, untangled, _plain, _without_copies):
        _match(wanted, found, free, key)
    return found


def untangled(name: str) -> str:
    """Undo a wrong encoding and write accents as one character each: `L'ArlÃ©sienne` becomes `L'Arlésienne`."""
    for encoding in WRONG:
        try:
            name = name.encode(encoding).decode("utf-8")
            break
        except UnicodeError:
            continue
    return unicodedata.normalize("NFC", name)


def slug(name: str) -> str:
    """Write a name as files have it: small letters without accents, hyphens: `Vincent van Gogh`, `vincent-van-gogh`."""
    letters = unicodedata.normalize("NFKD", untangled(name)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9/]+", "-", letters).strip("-")


def _plain(name: str) -> str:
    """Leave only what no encoding can garble."""
    return re.sub(r"[^a-z0-9/().]", "", name.lower())


def _without_copies(name: str) -> str:
    return _plain(COPY.sub("", name))


def _match(wanted: Sequence[str], found: list[str | None], free: dict[str, None], key: Callable[[str], str]) -> None:
    """Give free files to names that have none yet, where the key leaves no doubt."""
    lacking = [number for number, name in enumerate(found) if name is None]
    files, names = defaultdict[str, list[str]](list), defaultdict[str, list[int]](list)
    for file in free if lacking else ():
        files[key(file)].append(file)
    for number in lacking:
        names[key(wanted[number])].append(number)
    for word, numbers in names.items():
        if len(files.get(word, ())) == len(numbers) == 1:
            found[numbers[0]] = files[word][0]
            del free[files[word][0]]
