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


TRAINER = """\
#!/usr/bin/env bash
case "$1" in
    -c) exit "${FAKE_GPU:-0}" ;;
    train.py)
        if [[ "experiment=${FAKE_STOP:-}" == "$2" ]]; then exit 143; fi
        mkdir -p "runs/${2#experiment=}/now"
        touch "runs/${2#experiment=}/now/metrics.json"
        ;;
esac
echo "$*" >> called.txt
"""
"""A python that writes down what it is called with, and trains in no time."""


@pytest.fixture
def recipes(checkout: Path) -> Path:
    """A checkout whose recipes lack two of their data sets."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    for name, text in {".venv/bin/python": TRAINER, ".venv/bin/ganstyle": TRAINER, "scripts/setup": PYTHON}.items():
        (checkout / name).write_text(text)
        (checkout / name).chmod(0o755)
    shutil.copy(REPOSITORY / "scripts" / "train_paper_recipes", checkout / "scripts")
    (checkout.parent / "sets" / "maps").mkdir(parents=True)
    return checkout


def trained(recipes: Path, *words: str, **fakes: str) -> tuple[int, list[str]]:
    """Train the recipes on the folder `sets`; return the exit code, and all calls so far."""
    command = [str(recipes / "scripts" / "train_paper_recipes"), "sets", *words]
    done = subprocess.run(command, cwd=recipes.parent, env=os.environ | fakes, capture_output=True, text=True)
    return done.returncode, (recipes / "called.txt").read_text().splitlines()


def test_the_papers_recipes_are_trained_and_recorded_in_turn(recipes: Path) -> None:
    code, called = trained(recipes, "seed=1")
    assert code == 0
    sets = recipes.parent / "sets"
    assert called[:3] == [
        f"fetch vangogh2photo --to {sets}",
        f"train.py experiment=vangogh_paper data.root='{sets}/vangogh2photo' resume=last seed=1",
        "benchmarks/record.py runs/vangogh_paper/now --output benchmarks/results/vangogh_paper.json",
    ]
    assert [call.split()[1] for call in called] == [
        *("vangogh2photo", "experiment=vangogh_paper", "runs/vangogh_paper/now"),
        *("monet2photo", "experiment=monet_paper", "runs/monet_paper/now"),
        *("experiment=maps_paper", "runs/maps_paper/now"),
    ]
    assert (recipes / "runs" / "maps_paper.log").is_file()


def test_a_recipe_that_was_stopped_goes_on_and_a_finished_one_is_left_alone(recipes: Path) -> None:
    code, called = trained(recipes, FAKE_STOP="monet_paper")
    assert code == 143
    assert not any("maps_paper" in call for call in called)
    code, again = trained(recipes)
    assert code == 0
    runs = [call.split()[1] for call in again[len(called) :] if call.startswith("train.py")]
    assert runs == ["experiment=monet_paper", "experiment=maps_paper"]


def test_the_papers_recipes_say_what_they_need(recipes: Path) -> None:
    command = str(recipes / "scripts" / "train_paper_recipes")
    told = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert "CUDA GPU" in told.stdout
    without = subprocess.run(command, env=os.environ | {"FAKE_GPU": "1"}, capture_output=True, text=True)
    assert without.returncode == 2
    assert "need a CUDA GPU" in without.stderr


@pytest.mark.parametrize(
    "name",
    ["scripts/setup", "scripts/quickstart", "scripts/test", "scripts/check", "scripts/train_paper_recipes", ".ci/run"],
)
def test_every_script_can_be_run(name: str) -> None:
    assert (REPOSITORY / name).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", REPOSITORY / name], check=True)
