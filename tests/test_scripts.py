"""The set-up script, with an interpreter that only pretends."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON = """\
#!/usr/bin/env bash
case "$*" in
    --version) echo "Python ${FAKE_VERSION:-3.11.9}" ;;
    -c*) [[ "${FAKE_VERSION:-3.11.9}" != 3.8* ]] ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && exit "${FAKE_VENV:-0}" ;;
    "-m pip --version") ;;
    "-m pip install"*) echo "$*" >> installs.txt; exit "${FAKE_PIP:-0}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "my checkout" / "scripts").mkdir(parents=True)
    for name in ("scripts/setup", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path / "my checkout" / name)
    (tmp_path / "python3").write_text(PYTHON)
    (tmp_path / "python3").chmod(0o755)
    return tmp_path / "my checkout"


def setup(checkout: Path, **fakes: str) -> subprocess.CompletedProcess[str]:
    """Run the script from elsewhere, with the pretender first in the path."""
    environment = {"PATH": f"{checkout.parent}:{os.environ['PATH']}", "PYTHON": "python3", **fakes}
    return subprocess.run([checkout / "scripts" / "setup"], cwd="/", env=environment, capture_output=True, text=True)


def installs(checkout: Path) -> int:
    record = checkout / "installs.txt"
    return len(record.read_text().splitlines()) if record.exists() else 0


def test_a_second_run_does_nothing(checkout: Path) -> None:
    assert setup(checkout).returncode == 0
    again = setup(checkout)
    assert (again.returncode, again.stderr, installs(checkout)) == (0, "", 1)


def test_changed_dependencies_are_installed(checkout: Path) -> None:
    setup(checkout)
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert setup(checkout).returncode == 0
    assert installs(checkout) == 2


def test_a_failed_installation_is_told_and_tried_again(checkout: Path) -> None:
    failed = setup(checkout, FAKE_PIP="1")
    assert failed.returncode == 2
    assert failed.stderr.endswith("pip's message above says why.\n")
    assert setup(checkout).returncode == 0
    assert installs(checkout) == 2


def test_a_python_that_is_too_old_is_told_in_one_sentence(checkout: Path) -> None:
    old = setup(checkout, FAKE_VERSION="3.8.10")
    assert old.returncode == 2
    assert "needs Python 3.11 or newer, but python3 is Python 3.8.10" in old.stderr
    assert old.stderr.count("\n") == 1


def test_a_python_that_is_not_there_is_told_in_one_sentence(checkout: Path) -> None:
    missing = setup(checkout, PYTHON="nowhere")
    assert missing.returncode == 2
    assert "nowhere is not there" in missing.stderr


def test_a_missing_venv_module_is_told_and_leaves_nothing(checkout: Path) -> None:
    failed = setup(checkout, FAKE_VENV="1")
    assert failed.returncode == 2
    assert "install its venv module" in failed.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    "name",
    ["scripts/setup", "scripts/quickstart", "scripts/test", "scripts/check", "scripts/train_paper_recipes", ".ci/run"],
)
def test_every_script_can_be_run(name: str) -> None:
    assert (REPOSITORY / name).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", REPOSITORY / name], check=True)
