"""Small collections in the exact layouts of large ones."""

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from data.pictures import drawing, save
from PIL import Image

STYLES = ("Impressionism", "Post_Impressionism", "Ukiyo_e")
PAINTERS = ("vincent-van-gogh", "claude-monet", "katsushika-hokusai")
CATEGORIES = ("/a/airfield", "/f/field/cultivated", "/f/field/wild", "/f/field_road", "/v/village")


def wikiart_tree(root: Path, each: int = 4, side: int = 40, lists: bool = True) -> Path:
    """`each` paintings by every painter in every style, with ArtGAN's lists; the last one of each is held out."""
    rows = []
    for style in STYLES:
        for painter in PAINTERS:
            for number in range(each):
                name = f"{style}/{painter}_title-{number}.jpg"
                save(root / "wikiart" / name, len(rows), side, side + 8)
                rows.append((name, number == each - 1, STYLES.index(style), PAINTERS.index(painter), number % 2))
    if lists:
        write_lists(root / "wikiart_csv", rows)
    return root


def write_lists(folder: Path, rows: Sequence[tuple[str, bool, int, int, int]]) -> None:
    """ArtGAN's lists of styles, artists and genres."""
    folder.mkdir(parents=True)
    for column, kind in ((2, "style"), (3, "artist"), (4, "genre")):
        for split, held in (("train", False), ("val", True)):
            lines = [f"{row[0]},{row[column]}" for row in rows if row[1] == held]
            (folder / f"{kind}_{split}.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "genre_class.txt").write_text("0 landscape\n1 still_life\n")
    (folder / "style_class.txt").write_text("".join(f"{number} {style}\n" for number, style in enumerate(STYLES)))


def places_tree(root: Path, each: int = 3, side: int = 40, size: str = "256") -> Path:
    """`each` photographs of every category to train on and one to validate, with the lists."""
    train, val, number = [], [], 0
    large = size == "large"
    for label, category in enumerate(CATEGORIES):
        for place in range(1, each + 1):
            name = f"{category}/{place:08}.jpg"
            save(root / f"data_{size}_standard{name}", 100 + number, side, side + 4)
            train.append(f"{name} {label}")
            number += 1
        held = f"Places365_val_{label + 1:08}.jpg"
        save(root / ("val_large" if large else "val_256") / held, 500 + label, side, side)
        val.append(f"{held} {label}")
    lists = {
        "categories_places365.txt": [f"{category} {label}" for label, category in enumerate(CATEGORIES)],
        "places365_train_standard.txt": train,
        "places365_val.txt": val,
    }
    for name, lines in lists.items():
        (root / name).write_text("\n".join(lines) + "\n")
    return root


def encoded(seed: int, height: int = 40, width: int = 48) -> bytes:
    """A small JPEG."""
    file = io.BytesIO()
    Image.fromarray(drawing(seed, height, width)).save(file, "JPEG", quality=90)
    return file.getvalue()


def shard(path: Path, seeds: Sequence[int]) -> Path:
    """A tar file as WebDataset writes it: for every sample a picture, a class and a JSON file, side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for seed in seeds:
            for suffix, content in (("cls", b"7"), ("jpg", encoded(seed)), ("json", b"{}")):
                member = tarfile.TarInfo(f"{seed:06}.{suffix}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path
