"""A sweep asks, starts a process for every trial, and is told; killed anywhere, it goes on and counts nothing twice."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.trial import TrialState
from training.sweeping import plan
from training.trainee import score

from ganstyle.errors import ConfigError, TrainingError
from ganstyle.training import claims
from ganstyle.training.search import Choice, Range
from ganstyle.training.study import counted, opened, storage
from ganstyle.training.study import sampler as drawn_by
from ganstyle.training.sweep import Sweep
from ganstyle.training.trial import Order, run_in, start

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}:{TESTS.parent}")


def knobs(monkeypatch: pytest.MonkeyPatch, **given: object) -> None:
    monkeypatch.setenv("TRAINEE", json.dumps(given))


def swept(folder: Path, trials: int = 4, workers: int = 1, **given: object) -> optuna.Study:
    own = plan(folder, trials, workers, **given)
    study = opened(own)
    assert Sweep(own, study, lambda _: None).run() == 0
    return study


def starts(folder: Path) -> dict[str, int]:
    """How often the run of each trial was started."""
    return {run.name: len((run / "starts.txt").read_text().splitlines()) for run in (folder / "trials").iterdir()}


@pytest.mark.parametrize("workers", [1, 3])
def test_every_trial_is_a_process_and_its_score_is_told(tmp_path: Path, workers: int) -> None:
    study = swept(tmp_path / "sweep", workers=workers)
    assert [one.number for one in study.trials] == [0, 1, 2, 3]
    for one in study.trials:
        assert one.state == TrialState.COMPLETE
        assert one.value == pytest.approx(score(one.params["system.ema"], 3))
    assert starts(tmp_path / "sweep") == {f"{number:04d}": 1 for number in range(4)}


@pytest.mark.parametrize("name", ["plain", "s'w x", "s${w}", "a=b,c"])
def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    place, mode = (OverridesParser.create().parse_override(word) for word in run_in(folder))
    assert OmegaConf.create({"dir": place.value()}).dir == str(folder)
    assert (mode.key_or_group, mode.value()) == ("hydra.mode", "RUN")
    folder.mkdir()
    assert storage(plan(folder)).get_all_studies() == []
    assert (folder / "study.db").is_file()


def test_a_trial_in_a_job_of_slurm_is_no_task_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "2")
    program = (sys.executable, "-c", "import os; print('SLURM_NTASKS' in os.environ)")
    order = Order((), tmp_path / "run", tmp_path / "log", "quality/gain", program)
    assert start(order).wait() == 0
    assert order.log.read_text() == "False\n"


def test_more_trials_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    before = [one.params for one in swept(tmp_path, 2).trials]
    after = swept(tmp_path, 3)
    assert len(after.trials) == 3
    assert [one.params for one in after.trials[:2]] == before


def test_a_sweep_in_two_parts_asks_for_what_one_in_one_part_does(tmp_path: Path) -> None:
    swept(tmp_path / "parts", 2)
    parts, whole = swept(tmp_path / "parts", 4), swept(tmp_path / "whole", 4)
    assert [one.params for one in parts.trials] == [one.params for one in whole.trials]
    assert len({one.params["system.ema"] for one in whole.trials}) == 4


def test_a_failed_trial_is_recorded_and_the_sweep_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    knobs(monkeypatch, fails=[4.0])
    own = plan(tmp_path, 4, space={"system.ema": Choice(("4.0", "1.0", "3.0"))})
    study = opened(own)
    for value in ("1.0", "4.0", "3.0", "4.0"):
        study.enqueue_trial({"system.ema": value})
    assert Sweep(own, study, lambda _: None).run() == 0
    assert [one.state.name for one in study.trials] == ["COMPLETE", "FAIL", "COMPLETE", "FAIL"]
    failed = [one for one in study.trials if one.state == TrialState.FAIL]
    assert failed[0].user_attrs["failure"] == "exit code 2: this value of system.ema is one that fails."


def test_trials_that_all_fail_end_the_sweep_with_what_they_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs(monkeypatch, fails=[4.0])
    own = plan(tmp_path, 9, space={"system.ema": Choice(("4.0", "4.00"))})
    study = opened(own)
    with pytest.raises(
        TrainingError, match=r"the first 3 trials all failed, the last one with exit code 2: this value"
    ):
        Sweep(own, study, lambda _: None).run()
    assert len(study.trials) == 3


def test_a_run_without_its_score_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    knobs(monkeypatch, score="val/psnr")
    assert swept(tmp_path, 1).trials[0].user_attrs["failure"] == "the run ended without the score quality/gain"


def test_a_trial_that_is_worse_than_half_of_the_others_is_ended_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {"system.ema": Choice(("3.0", "2.9", "60.0"))}
    own = plan(tmp_path, 3, space=space, pruner="median")
    study = opened(own)
    for value in ("3.0", "2.9", "60.0"):
        study.enqueue_trial({"system.ema": value})
    knobs(monkeypatch, images=200, pause=0.15)
    for one in range(2):  # what the median is taken of
        good = study.ask(Sweep(own, study).space)
        for image in range(1, 21):
            good.report(score(3.0 - one / 10, image), image)
        study.tell(good, score(3.0 - one / 10, 200))
    assert Sweep(own, study, lambda _: None).run() == 0
    assert [one.state.name for one in study.trials] == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert len(study.trials[2].intermediate_values) < 100
    assert not (tmp_path / "trials" / "0002" / "metrics.json").exists()


def test_another_search_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    swept(tmp_path, 1)
    with pytest.raises(ConfigError, match="holds a sweep with other objective, seed; give --folder"):
        opened(plan(tmp_path, 1, objective="val/psnr", seed=1))


def test_another_storage_for_the_same_folder_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    swept(tmp_path / "sweep", 1)
    other = plan(tmp_path / "sweep", 1, storage=f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(ConfigError, match="holds trials that this storage knows nothing of; give the same --storage"):
        opened(other)
    assert optuna.get_all_study_names(storage(other)) == []
    assert len(opened(plan(tmp_path / "sweep", 1)).trials) == 1


def test_a_storage_in_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is gone with its process; name a file"):
        opened(plan(tmp_path, 1, storage="sqlite://"))


def test_a_journal_file_is_a_storage_too(tmp_path: Path) -> None:
    study = swept(tmp_path, 2, storage=str(tmp_path / "study.journal"))
    assert [one.state for one in study.trials] == [TrialState.COMPLETE] * 2
    assert not (tmp_path / "study.db").exists()


def test_two_sweeps_on_one_storage_are_two_studies(tmp_path: Path) -> None:
    place = str(tmp_path / "study.journal")
    folders = [tmp_path / experiment / "sweep_default" for experiment in ("vangogh", "monet")]
    studies = [opened(plan(folder, storage=place, seed=seed)) for seed, folder in enumerate(folders)]
    studies[0].ask()
    assert [len(study.trials) for study in studies] == [1, 0]
    assert studies[0].study_name.startswith("vangogh-sweep_default-")


def test_a_study_is_found_again_when_its_folder_was_moved(tmp_path: Path) -> None:
    place = str(tmp_path / "study.journal")
    opened(plan(tmp_path / "here", storage=place)).ask()
    (tmp_path / "here").rename(tmp_path / "there")
    assert len(opened(plan(tmp_path / "there", storage=place)).trials) == 1


def test_a_study_that_was_named_by_its_folder_alone_goes_on(tmp_path: Path) -> None:
    own = plan(tmp_path / "sweep_default")
    (own.folder / "logs").mkdir(parents=True)  # which the first trial makes
    optuna.create_study(storage=storage(own), study_name="sweep_default", direction="maximize").ask()
    assert len(opened(own).trials) == 1


@pytest.mark.parametrize("place", ["nonsense://x", "/nowhere/study.journal", "/"])
def test_a_storage_that_cannot_be_opened_is_told(tmp_path: Path, place: str) -> None:
    with pytest.raises(ConfigError, match=f"--storage {place} cannot be opened"):
        opened(plan(tmp_path, 1, storage=place))


def test_a_surplus_trial_counts_for_nothing(tmp_path: Path) -> None:
    own = plan(tmp_path, 2)
    study = opened(own)
    late = study.ask(Sweep(own, study).space)
    late.set_user_attr(claims.SURPLUS, True)
    study.tell(late, state=TrialState.FAIL)
    assert Sweep(own, study, lambda _: None).run() == 0
    assert [one.state.name for one in counted(study)] == ["COMPLETE", "COMPLETE"]
    assert len(study.trials) == 3


def test_a_trial_too_many_whose_process_died_before_it_could_say_so_waits_for_more_trials(tmp_path: Path) -> None:
    own = plan(tmp_path, 2)
    study = opened(own)
    for _ in range(3):  # on machines that see no lock of each other; the third one found that there are enough
        study.ask(Sweep(own, study).space)
    assert Sweep(own, study, lambda _: None).run() == 0
    assert [one.state.name for one in counted(study)] == ["COMPLETE", "COMPLETE", "WAITING"]
    assert [one.state.name for one in swept(tmp_path, 3).trials] == ["COMPLETE"] * 3


def interrupted(study: optuna.Study, sweep: Sweep, count: int) -> None:
    """Begin trials, and put them back as SIGTERM does."""
    for asked in [study.ask(sweep.space) for _ in range(count)]:
        claims.claim(asked)
        asked.set_user_attr(claims.OWNER, {"host": claims.socket.gethostname(), "process": 1 << 22, "began": ""})
    claims.free_orphans(study, sweep.storage)


def test_an_interrupted_trial_outlasts_a_sweep_of_fewer_trials(tmp_path: Path) -> None:
    own = plan(tmp_path, 3)
    study = opened(own)
    interrupted(study, Sweep(own, study), 3)
    assert [one.state.name for one in swept(tmp_path, 1).trials] == ["COMPLETE", "WAITING", "WAITING"]
    assert [one.state.name for one in counted(swept(tmp_path, 3))] == ["COMPLETE"] * 3
    assert starts(tmp_path) == {f"{number:04d}": 1 for number in range(3)}


def test_an_interrupted_trial_too_many_waits_on_when_another_machine_took_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = plan(tmp_path, 1)
    study = opened(own)
    interrupted(study, Sweep(own, study), 2)
    real = opened(own).ask
    monkeypatch.setattr(study, "ask", lambda space: (real(space), real(space))[1])
    assert Sweep(own, study)._next() is None
    assert [one.state.name for one in counted(study)] == ["RUNNING", "WAITING"]


TWO = {"system.ema": Range(0.0, 6.0, False, False, None), "trainer.clip": Range(0.0, 6.0, False, False, None)}


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("asked", range(3))
def test_a_trial_whose_process_died_while_it_asked_is_asked_for_afresh(
    tmp_path: Path, sampler: str, asked: int
) -> None:
    undisturbed = [one.params for one in swept(tmp_path / "calm", 2, space=TWO, sampler=sampler).trials]
    own = plan(tmp_path / "killed", 2, space=TWO, sampler=sampler)
    study, space = opened(own), Sweep(own, opened(own)).space
    study.sampler = drawn_by(own.search, 0)
    study.ask({key: space[key] for key in [*space][:asked]})  # a number, and some of its values
    found = counted(swept(tmp_path / "killed", 2, space=TWO, sampler=sampler))
    assert [one.params for one in found] == undisturbed
    assert [one.state.name for one in found] == ["COMPLETE"] * 2


OWNERS = {
    "this process": (
        {"host": claims.socket.gethostname(), "process": os.getpid(), "began": claims._began(os.getpid())},
        0,
    ),
    "its number again": ({"host": claims.socket.gethostname(), "process": os.getpid(), "began": "1"}, 0),
    "a process that is gone": ({"host": claims.socket.gethostname(), "process": 1 << 22, "began": ""}, 0),
    "another machine": ({"host": "elsewhere", "process": 1, "began": "1"}, 0),
    "a silent machine": ({"host": "elsewhere", "process": 1, "began": "1"}, 2 * claims.SILENCE),
}


@pytest.mark.parametrize("owner", OWNERS)
def test_a_trial_is_free_when_its_owner_is_gone(tmp_path: Path, owner: str) -> None:
    own = plan(tmp_path)
    study = opened(own)
    asked = study.ask(Sweep(own, study).space)
    told, silence = OWNERS[owner]
    asked.set_user_attr(claims.OWNER, told)
    asked.set_user_attr(claims.BEAT, time.time() - silence)
    freed = claims.free_orphans(study, storage(own))
    assert [one.number for one in freed] == ([] if owner in ("this process", "another machine") else [0])
    again = study.ask(Sweep(own, study).space)
    assert (again.number, again.params == asked.params) == ((0, True) if freed else (1, False))


@pytest.fixture
def sweeping(tmp_path: Path) -> Iterator[list["subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def begin(folder: Path, trials: int, workers: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(TESTS / "training" / "sweeping.py"), str(folder), str(trials), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def await_(condition: object, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def lines(folder: Path) -> list[str]:
    return [line for run in sorted((folder / "trials").glob("*/starts.txt")) for line in run.read_text().splitlines()]


def is_gone(process: int) -> bool:
    return claims._began(process) == ""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_sweep_goes_on_and_nothing_is_lost_or_counted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sweeping: list["subprocess.Popen[bytes]"], number: int
) -> None:
    folder = tmp_path / "sweep"
    knobs(monkeypatch, images=40, pause=0.1)
    sweeping.append(begin(folder, 4, 2))
    await_(lambda: len(list(folder.glob("trials/*/csv"))) == 2)
    children = [int(line.split()[0]) for line in lines(folder)]
    sweeping[0].send_signal(number)
    code = sweeping[0].wait(120)
    await_(lambda: all(map(is_gone, children)), 60)
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    before = {run.name: int((run / "checkpoints" / "last.ckpt").read_text()) for run in (folder / "trials").iterdir()}
    assert all(0 < seen < 40 for seen in before.values())
    knobs(monkeypatch, images=40)
    study = swept(folder, 4, 2)
    assert [one.state for one in study.trials] == [TrialState.COMPLETE] * 4
    assert starts(folder) == {"0000": 2, "0001": 2, "0002": 1, "0003": 1}
    resumed = [line for line in lines(folder) if line.split()[0] not in map(str, children) and "from 0" not in line]
    assert sorted(int(line.split()[-1]) for line in resumed) == sorted(before.values())


@pytest.mark.slow
def test_two_sweeps_share_one_storage(tmp_path: Path, sweeping: list["subprocess.Popen[bytes]"]) -> None:
    sweeping += [begin(tmp_path / "sweep", 6, 2) for _ in range(2)]
    assert [process.wait(300) for process in sweeping] == [0, 0]
    study = opened(plan(tmp_path / "sweep", 6, 2))
    assert [one.state.name for one in counted(study)] == ["COMPLETE"] * 6
    assert set(starts(tmp_path / "sweep").values()) == {1}


@pytest.mark.slow
def test_the_sweep_of_the_guide_trains_real_trials_and_its_best_trains_again(tmp_path: Path) -> None:
    guide = (TESTS.parent / "docs" / "guides" / "sweeps.md").read_text(encoding="utf-8")
    command = next(span for span in guide.split("`") if span.startswith("ganstyle sweep experiment=smoke"))
    words = [*command.split()[1:], "--folder", str(tmp_path / "sweep")]
    swept = subprocess.run([sys.executable, "-m", "ganstyle.cli", *words], cwd=tmp_path, capture_output=True, text=True)
    assert swept.returncode == 0, swept.stderr
    table = list(csv.DictReader((tmp_path / "sweep" / "trials.csv").read_text().splitlines()))
    assert [row["state"] for row in table] == ["complete"] * 3
    assert len({row["quality/gain"] for row in table}) == 3
    best = max(table, key=lambda row: float(row["quality/gain"]))
    again = ["--config-dir", str(tmp_path / "sweep"), "experiment=best", "trainer.max_images=4", f"runs={tmp_path}"]
    trained = subprocess.run(
        [sys.executable, str(TESTS.parent / "train.py"), *again], cwd=tmp_path, capture_output=True, text=True
    )
    assert trained.returncode == 0, trained.stderr
    kept = OmegaConf.load(next(tmp_path.glob("smoke/*/config.yaml")))
    for key in ("system.ema", "system.optimizers.generator.lr"):
        assert OmegaConf.select(kept, key) == pytest.approx(float(best[key]))
