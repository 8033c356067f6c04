import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ganstyle

REPOSITORY = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "numpy", "pytorch_lightning", "hydra", "albumentations", "wandb", "cv2", "PIL", "rich"}
TRAINER = {"pytorch_lightning", "hydra", "albumentations", "wandb"}
FOREIGN = re.compile(rf"(?<![\w.])/(?:{'|'.join(('work', 'root', 'home', 'tmp', 'Users'))})/\w")
"""An absolute path of some machine."""


def imported_by(code: str) -> set[str]:
    """The top-level modules that are there after a fresh interpreter ran a piece of code."""
    script = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def seconds(*words: str) -> float:
    """The shortest of three runs of an interpreter."""

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        return time.perf_counter() - start

    return min(once() for _ in range(3))


def test_importing_ganstyle_is_light() -> None:
    assert not imported_by("import ganstyle; ganstyle.__version__; import ganstyle.cli") & HEAVY


def test_using_an_artifact_needs_no_trainer() -> None:
    assert not imported_by("import ganstyle; ganstyle.load; ganstyle.stylize") & TRAINER


def test_help_answers_at_once() -> None:
    assert seconds("-m", "ganstyle.cli", "--help") < max(0.5, 8 * seconds("-c", "pass"))


def test_the_package_offers_what_it_says() -> None:
    for name in ganstyle.__all__:
        assert getattr(ganstyle, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = ganstyle.lod


def tracked() -> list[Path]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True)
    if run.returncode:
        pytest.skip("not a git checkout")
    return [REPOSITORY / name for name in run.stdout.split("\0") if name]


def test_no_file_names_a_path_of_some_machine() -> None:
    found = []
    for path in tracked():
        if not path.is_file() or path.suffix in {".png", ".jpg", ".webp", ".safetensors"}:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [f"{path.relative_to(REPOSITORY)}: {line}" for line in lines if FOREIGN.search(line)]
    assert not found


def test_no_tracked_file_is_large() -> None:
    assert not [path for path in tracked() if path.is_file() and path.stat().st_size > 2_000_000]
