"""`ganstyle figures`: draws every picture of a run or a report again, from what its folder holds."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ganstyle.errors import DataError

DETAILS = """\
A run's folder gets losses, scores, learning rates and health events in figures/; a report's folder its plane of style
and content and its comparison grids. Nothing is measured again.

examples:
  ganstyle figures runs/vangogh/2026-11-21_10-00-00
  ganstyle figures report
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, help="a run's folder, or a report of `ganstyle evaluate`"
    )


def run(words: Namespace) -> int:
    """Draw the figures of a folder, and print where they are."""
    print("\n".join(map(str, _drawn(words.folder))))
    return 0


def _drawn(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}.")
    if (folder / "report.html").is_file():
        from ganstyle.metrics.figures import draw

        return draw(folder)
    if (folder / "csv").is_dir():
        from ganstyle.metrics.curves import draw_curves

        return draw_curves(folder)
    raise DataError(
        f"{folder} is neither a run with curves (csv/) nor a report (report.html), so there is nothing to draw."
    )
