"""What a user gets wrong is told in one sentence, exits 2, and leaves nothing behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from training.game import REPOSITORY, TESTS, fault, here, newest, train

from ganstyle.errors import ImageError
from ganstyle.training import mistakes

MISTAKES = {
    "methd=cut": "unknown configuration key 'methd'; did you mean 'method'?",
    "trainer.max_imgaes=3": "unknown configuration key 'trainer.max_imgaes'; did you mean 'max_images'?",
    "generator.chanels=3": "unknown configuration key 'generator.chanels'; did you mean 'channels'?",
    "+generator.chanels=3": "Light takes no argument 'chanels'; take it out of the configuration",
    "experiment=vangoh": "unknown option experiment=vangoh; did you mean 'vangogh'?",
    "generator=lihgt": "unknown option generator=lihgt; did you mean 'light'?",
    "logger=wandbb": "unknown option logger=wandbb; did you mean 'wandb'?",
    "trainer=null": "a group takes the name of an option",
    "foo": "Error parsing override 'foo'; see",
    "a b": "'a b' is not an override: write key=value",
    "system.lazy.r1=2": "there is no such key; to add it write +system.lazy.r1=2.",
    "system.lazy.r2={a: {b: 2}}": "there is no such key; to add it write +system.lazy.r2={a: {b: 2}}.",
    "seed=abc": "seed must be a whole number of at least 0, but got 'abc'.",
    "name=a/b": "one plain word, but got 'a/b'.",
    "system.ema=x": "system.ema must be a number of at least 0, but got 'x'.",
    "system.decay_from=x": "system.decay_from must be a number of at least 0, but got 'x'.",
    "system.accumulate=1.5": "system.accumulate must be a whole number of at least 1, but got 1.5.",
    "system.weights=3": "system.weights has an entry for each of ['discriminator', 'generator'], but got 3.",
    "system.method.adversarial=lsgam": "unknown adversarial game 'lsgam'; did you mean 'lsgan'?",
    "system.optimizers.generator.lr=x": "system.optimizers.generator makes no optimizer: ",
    "generator.channels=x": "system.method.generator cannot be built from these values (",
    "system.method.generator=3": "the generator is no network but 3; choose one, such as generator=light.",
    "+logger.x.y=1": "logger.x is no logger but {'y': 1}; see conf/logger for how one is named.",
    "generator._target_=ganstyle.nn.light.Lght": "_target_ names 'ganstyle.nn.light.Lght', which cannot be imported.",
    "trainer.max_images=0": "trainer.max_images must be a whole number of at least 1, but got 0.",
    "trainer.precision=16": "trainer.precision cannot be '16'; there is 32, auto, bf16-mixed.",
    "trainer.memory_format=chanels_last": "cannot be 'chanels_last'; did you mean 'channels_last'?",
    "trainer.accelerator=gpuu": "trainer.accelerator cannot be 'gpuu'; did you mean 'gpu'?",
    "callbacks.validation.every=0": "callbacks.validation.every must be a whole number of at least 1, but got 0.",
    "callbacks.checkpoints.monitor=val/psnrr": "is not a score of this run; did you mean 'val/psnr'?",
    "objective=val/generator/l2": "is not a score of this run; did you mean 'val/generator/l1'?",
    "data.size=33": "toy scenes need a side that is a multiple of 4, but data.size is 33.",
    "runs=/proc/nope": "/proc/nope: No such file or directory.",
    "resume=nowhere": "resume=nowhere is neither a run folder nor a checkpoint",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[int, str]], Path]:
    """What train.py said to each mistake, without the type checks of the tests, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("mistakes")
    given = json.dumps([str(folder / "runs"), [[mistake] for mistake in MISTAKES]])
    command = [sys.executable, str(TESTS / "training" / "mistaken.py")]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True, cwd=folder)
    return dict(zip(MISTAKES, json.loads(done.stdout), strict=True)), folder


QUICK = ("methd=cut", "experiment=vangoh", "a b", "seed=abc", "trainer.max_images=0", "objective=val/generator/l2")


@pytest.mark.parametrize("mistake", QUICK)
def test_a_mistake_is_told_at_once(tmp_path: Path, mistake: str) -> None:
    ended = here(tmp_path / "runs", mistake)
    assert ended.code == 2
    assert MISTAKES[mistake] in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(told: tuple[dict[str, tuple[int, str]], Path], mistake: str) -> None:
    code, said = told[0][mistake]
    assert code == 2, said
    assert said.startswith("train.py: ")
    assert said.count("\n") == 1
    assert MISTAKES[mistake] in said


TROUBLE = {
    "a process that loads pictures was killed (signal: Killed), as happens": RuntimeError(
        "DataLoader worker (pid 12) is killed by signal: Killed. "
    ),
    "a process that loads pictures was killed, as happens": RuntimeError(
        "DataLoader worker (pid(s) 12, 13) exited unexpectedly"
    ),
    "the disk is full while runs/x/csv was written: free some space": OSError(28, "No space left", "runs/x/csv"),
    "the disk is full: free some space, then go on with resume=last": OSError(28, "No space left"),
    "a.png is damaged or cut short (broken).": ImageError(
        "Caught ImageError in DataLoader worker process 1.\nOriginal Traceback (most recent call last):\n"
        '  File "x.py", line 3, in y\nganstyle.errors.ImageError: a.png is damaged or cut short (broken).\n'
    ),
}


@pytest.mark.parametrize("sentence", TROUBLE)
def test_what_goes_wrong_in_a_long_run_is_one_sentence(sentence: str) -> None:
    told = mistakes.sentence(TROUBLE[sentence])
    assert told is not None
    assert told.startswith(sentence)
    assert "\n" not in told


@pytest.mark.slow
def test_a_mistake_leaves_nothing_behind(told: tuple[dict[str, tuple[int, str]], Path]) -> None:
    runs = told[1] / "runs"
    assert not runs.exists() or list(runs.iterdir()) == []


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (("experiment=vangogh",), "ganstyle fetch vangogh2photo"),
        (("experiment=maps", "data.root=/nowhere"), "/nowhere"),
        (("experiment=vangogh", "trainer.accelerator=gpu"), ""),
    ],
)
def test_missing_data_are_told_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experiment: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here(tmp_path / "runs", *experiment, base=())
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.rglob("config.yaml"))


def test_a_grid_does_not_go_on_with_one_run(tmp_path: Path) -> None:
    assert here(tmp_path).code == 0
    ended = here(tmp_path, f"resume={newest(tmp_path)}", "seed=0,1", "-m")
    assert ended.code == 2
    assert "goes on with one run, but -m begins several; resume it without -m." in ended.err


def test_a_loss_that_is_not_finite_stops_the_run_which_resumes_from_the_last_good_checkpoint(tmp_path: Path) -> None:
    ended = here(tmp_path, *fault("blow_up", 12))
    assert ended.code == 2
    assert "is not finite; the last good checkpoint is kept" in ended.err
    assert "generator/l1" in ended.err
    assert here(tmp_path, "resume=last").code == 0


def test_debug_shows_the_trace(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="max_imgaes"):
        here(tmp_path, "trainer.max_imgaes=3", "--debug")


@pytest.mark.slow
def test_a_trial_that_fails_does_not_end_the_sweep_but_its_success(tmp_path: Path) -> None:
    ended = train(tmp_path, "system.method.adversarial=lsgam,lsgan", "trainer.max_images=4", "-m")
    assert ended.code == 2
    assert "unknown adversarial game 'lsgam'" in ended.err
    assert len(list(tmp_path.rglob("metrics.json"))) == 1


@pytest.mark.slow
def test_a_whole_run_says_nothing_but_what_it_does(tmp_path: Path) -> None:
    ended = train(tmp_path, "trainer.workers=1")
    assert ended.err == f"training smoke for 24 images in {newest(tmp_path)}.\n"
    assert ended.out.splitlines()[-1].startswith("gain ")
    assert (newest(tmp_path) / "run.log").read_text().endswith(ended.err)


@pytest.mark.slow
def test_help_is_help(tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "train.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0
    assert "python train.py experiment=quickstart" in done.stdout
    assert list(tmp_path.iterdir()) == []
