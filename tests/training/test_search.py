"""Search spaces are checked before anything begins, and the best trial becomes an experiment."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from training.sweeping import plan

from ganstyle.cli import main
from ganstyle.errors import ConfigError
from ganstyle.training import findings, search
from ganstyle.training.composed import composed
from ganstyle.training.folder import conf_folder
from ganstyle.training.portraits import importance
from ganstyle.training.search import Choice, Range
from ganstyle.training.study import opened
from ganstyle.training.sweep import Sweep

CONF = conf_folder()
SEARCHES = [path.stem for path in sorted((CONF / "sweep").glob("*.yaml")) if "\nsearch:" in path.read_text()]
SPACE = "{system.ema: {low: 1.0, high: 2.0}}"


def read(folder: Path, text: str) -> search.Search:
    path = folder / "mine.yaml"
    path.write_text(text)
    return search.read(str(path))


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_space_composes_at_its_first_point(name: str) -> None:
    found = search.read(name)
    assert f"ganstyle sweep experiment=vangogh sweep={name}" in (CONF / "sweep" / f"{name}.yaml").read_text()
    words = [*found.overrides, *search.overrides_of(search.first_point(found.space))]
    config = composed(["experiment=vangogh", *words])
    for key, of in found.space.items():
        low = of.texts[0] if isinstance(of, Choice) else of.low
        assert float(OmegaConf.select(config, key)) == float(low)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_space_holds_the_recipe_that_it_is_offered_for(name: str) -> None:
    config = composed(["experiment=vangogh"])
    for key, of in search.read(name).space.items():
        value = OmegaConf.select(config, key)
        assert str(value) in of.texts if isinstance(of, Choice) else of.low <= value <= of.high, key


def test_the_grid_of_content_and_style_holds_the_recipe_that_it_is_offered_for() -> None:
    grid = OmegaConf.load(CONF / "sweep" / "content_style.yaml").hydra.sweeper.params
    config = composed(["experiment=vangogh"])
    for key, values in grid.items():
        assert OmegaConf.select(config, key) in map(float, str(values).split(",")), key


def test_ranges_and_choices_are_told_apart(tmp_path: Path) -> None:
    text = """
search:
  objective: val/psnr
  trials: 7
  space:
    a: {low: 1, high: 9, step: 2}
    b: {low: 0.1, high: 1, log: true}
    c: [light, null, true, 0.5, 'it''s', [0.5, 0.9]]
"""
    found = read(tmp_path, text)
    assert found.space == {
        "a": Range(1, 9, True, False, 2),
        "b": Range(0.1, 1, False, True, None),
        "c": Choice(("light", "null", "true", "0.5", "'it\\'s'", "[0.5, 0.9]")),
    }
    assert (found.name, found.trials, found.maximizes, found.score) == ("mine", 7, False, "val/psnr")
    assert search.overrides_of({"a": 3, "b": 0.25, "c": "light"}) == ["a=3", "b=0.25", "c=light"]


WRONG = {
    "a: 1": "has no search: node",
    "hydra: {mode: MULTIRUN}": "is a grid, which `python train.py -m sweep=mine` trains",
    "a: [": "cannot be read as YAML",
    "search: {}": "search.objective must name a score|search.space must name at least one key",
    f"search: {{space: {SPACE}}}": "search.objective must name a score",
    f"search: {{objective: x, space: {SPACE}, trails: 3}}": "unknown key search.trails; did you mean 'trials'?",
    f"search: {{objective: x, space: {SPACE}, trials: 0}}": "search.trials must be a whole number of at least 1",
    f"search: {{objective: x, space: {SPACE}, sampler: tpi}}": "search.sampler cannot be 'tpi'; did you mean 'tpe'?",
    f"search: {{objective: x, space: {SPACE}, with: a=1}}": "search.with must be a list of overrides",
    "search: {objective: x, space: {}}": "search.space must name at least one key",
    "search: {objective: x, space: {a: 3}}": "search.space.a must be a list of different choices",
    "search: {objective: x, space: {a: [1]}}": "search.space.a must be a list of different choices",
    "search: {objective: x, space: {a: [1, 1]}}": "search.space.a must be a list of different choices",
    "search: {objective: x, space: {a: {low: 1, high: 1}}}": "search.space.a must rise from low to high",
    "search: {objective: x, space: {a: {low: 1, high: .inf}}}": "search.space.a takes finite numbers",
    "search: {objective: x, space: {a: {low: 0, high: 1, log: true}}}": "needs low above 0",
    "search: {objective: x, space: {a: {low: x, high: 1}}}": "search.space.a takes finite numbers",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_does_not_fit_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=WRONG[text].replace("?", r"\?")):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "picture.yaml").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ConfigError, match=r"picture\.yaml cannot be read as YAML"):
        search.read(str(tmp_path / "picture.yaml"))


LINES = {
    "sweep=defalt": "unknown search space 'defalt'; did you mean 'default'?",
    "sweep=seeds": "is a grid, which `python train.py -m sweep=seeds` trains",
    "sweep=nowhere.yaml": "there is no file nowhere.yaml",
    "experiment=smoke sytem.ema=3": "did you mean 'system'?",
    "experiment=smoke method=distill": "unknown configuration key|system.optimizers.discriminator",
    "experiment=smoke resume=last": "resume=last is set by the sweep itself",
    "experiment=smoke seed=1,2": "seed=1,2 gives several values, as a grid does",
    "experiment=smoke ~callbacks.samples": "write callbacks.samples=null",
    "experiment=smoke logger=none": "take logger=csv",
    "experiment=smoke objective=": "objective= names no score",
    "experiment=smoke --workers 0": "--workers and --trials are numbers of trials",
}


@pytest.mark.parametrize("line", LINES)
def test_a_sweep_that_cannot_begin_is_told_in_one_sentence(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *line.split(), "--folder", str(tmp_path / "sweep")]) == 2
    output = capsys.readouterr()
    assert output.err.count("\n") == 1
    assert any(part in output.err for part in LINES[line].split("|"))
    assert not (tmp_path / "sweep").exists()


def test_help_needs_no_optuna() -> None:
    script = "import sys; from ganstyle.cli.parser import parse\nassert not {'optuna', 'torch'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True)


BEST = [
    "experiment=vangogh",
    "callbacks=quality",
    "method=cyclegan",
    "callbacks.quality.budget=1",
    "data.source=a b/photographs",
    "system.optimizers.generator.betas=[0.5,0.9]",
    "+data.augment.ColorJitter.hue=0.02",
    "generator.channels=16",
    "licence=null",
]


def test_the_best_trial_composes_to_what_it_trained(tmp_path: Path) -> None:
    made = findings.experiment(BEST)
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "best.yaml").write_text("# @package _global_\n" + OmegaConf.to_yaml(made))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loaded = compose("train", [f"hydra.searchpath=[file://{tmp_path}]", "experiment=best"])
    expected = composed(BEST)
    assert OmegaConf.to_container(loaded, resolve=True) == OmegaConf.to_container(expected, resolve=True)


def test_a_sweep_leaves_a_table_its_best_and_pictures(tmp_path: Path) -> None:
    own = plan(tmp_path, 13, space={"system.ema": Range(0.0, 6.0, False, False, None), "generator": Choice(("a", "b"))})
    study = opened(own)
    space = Sweep(own, study).space
    for number in range(13):
        study.enqueue_trial({"system.ema": number / 2, "generator": "ab"[number % 2]})
        asked = study.ask(space)
        asked.report(-1.0, 1)
        state = optuna.trial.TrialState.FAIL if number == 12 else optuna.trial.TrialState.COMPLETE
        study.tell(asked, None if number == 12 else -((asked.params["system.ema"] - 3) ** 2), state=state)
    found = findings.conclude(own, study)
    assert {path.name for path in found.files} == {
        *("trials.csv", "best.yaml", "history.png", "parallel.png", "importance.png")
    }
    assert all(path.stat().st_size > 100 for path in found.files)
    rows = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert [row["state"] for row in rows] == ["complete"] * 12 + ["fail"]
    kept = OmegaConf.load(tmp_path / "experiment" / "best.yaml")
    assert kept.system.ema == 3.0
    assert kept.defaults == ["_self_", {"override /generator": "a"}]
    assert found.lines[0] == "12 complete, 1 fail."
    assert "experiment=best" in found.lines[-1]
    shares = importance(study)
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=shares.__getitem__) == "system.ema"


def test_a_sweep_without_a_result_leaves_its_table(tmp_path: Path) -> None:
    own = plan(tmp_path)
    found = findings.conclude(own, opened(own))
    assert [path.name for path in found.files] == ["trials.csv"]
    assert found.lines == ["no trial yet."]
    assert found.best is None


WANDB: Any = OmegaConf.to_container(OmegaConf.load(CONF.parent / "examples" / "wandb_sweep.yaml"), resolve=False)


@pytest.mark.parametrize("end", ["min", "max"])
def test_the_commands_of_a_wandb_agent_compose(end: str) -> None:
    assert (CONF.parent / WANDB["program"]).is_file()
    given = {key: of[end] for key, of in WANDB["parameters"].items()}
    fixed = [word for word in WANDB["command"] if not word.startswith("${") and word != "python"]
    assert WANDB["command"][:3] == ["${env}", "python", "${program}"]
    assert WANDB["command"][-1] == "${args_no_hyphens}"  # key=value for every parameter, in wandb's documentation
    config = composed([*fixed, *(f"{key}={value}" for key, value in given.items())])
    assert {key: OmegaConf.select(config, key) for key in given} == given
    assert WANDB["metric"] == {"name": "quality/gain", "goal": "maximize"}
    assert config.callbacks.quality.monitor == WANDB["metric"]["name"]


def test_wandb_searches_what_the_search_space_of_the_same_name_does() -> None:
    space = search.read("default").space
    assert WANDB["parameters"] == {
        key: {"distribution": "log_uniform_values", "min": of.low, "max": of.high} for key, of in space.items()
    }


@pytest.mark.filterwarnings("ignore:Valid config keys have changed")  # the package's own
def test_the_file_for_wandb_keeps_to_wandbs_own_schema() -> None:
    schema = pytest.importorskip("sweeps.config.cfg", reason="pip install sweeps, which wants NumPy 1")
    assert schema.schema_violations_from_proposed_config(WANDB) == []
    assert len(schema.schema_violations_from_proposed_config({**WANDB, "method": "bayesian", "metrik": 1})) == 2
