"""A run with everything switched on, to be killed as the small one is: loading processes, an index, evaluations."""

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganstyle.data import index, shards
from ganstyle.training.gauge import Gauge

WATCHED: Mapping[str, tuple[Any, str]] = {
    "index building": (shards, "indexed"),
    "looking at pictures": (index, "_glanced"),
    "quality": (Gauge, "evaluate"),
}
"""Phases that the small run does not have, and the function that is at work in each."""


def words(folder: Path) -> tuple[str, ...]:
    """Say how to train on tar files with two loaders and evaluations, which want pictures of 88 pixels."""
    return (
        *packed(folder),
        "data.source_resize=96",
        "data.target_resize=96",
        "data.crop=88",
        "data.view=88",
        "trainer.workers=2",
        "callbacks=quality",
        "callbacks.quality.every=16",
        "callbacks.quality.budget=1",
        "callbacks.quality.sources=2",
        "callbacks.quality.references=2",
        "+callbacks.quality.draws=2",
    )


def packed(folder: Path) -> tuple[str, ...]:
    """Pack the sources into tar files, and say how to train on them."""
    for number in range(2):
        with tarfile.open(folder / f"source-{number}.tar", "w") as archive:
            for path in sorted((folder / "source").iterdir())[number::2]:
                archive.add(path, path.name)
    return f"data.source='{folder}/source-*.tar'", f"data.index={folder / 'index'}"
