"""Runs many mistaken commands of train.py in one process, as a user's would run: JSON in, JSON out."""

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.game import here


def main() -> None:
    """Read [folder, [[override ...] ...]] and write [[code, sentence] ...]."""
    folder, commands = json.load(sys.stdin)
    told: list[tuple[object, str]] = []
    for overrides in commands:
        errors = io.StringIO()
        try:
            with contextlib.redirect_stderr(errors):
                ended = here(Path(folder), *overrides)
            told.append((ended.code, ended.err + errors.getvalue()))
        except BaseException as error:
            told.append((1, f"{type(error).__name__}: {error}"))
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
