"""Every choice in conf/ composes and builds, and offers nothing that its constructor does not take."""

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from data.pictures import fill
from hydra import compose, initialize_config_dir
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from training.game import newest, train

from ganstyle.errors import ConfigError
from ganstyle.training.build import build_callbacks, build_system
from ganstyle.training.callbacks.checkpoints import Checkpoints
from ganstyle.training.callbacks.scoring import Scoring
from ganstyle.training.system import System

CONF = Path(__file__).resolve().parents[1] / "conf"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
SWEEPS = sorted(path.stem for path in (CONF / "sweep").glob("*.yaml") if "hydra" in OmegaConf.load(path))
"""Grids; the other files there are search spaces (tests/training/test_search.py)."""
GROUPS = sorted(
    folder for folder in CONF.iterdir() if folder.is_dir() and folder.name not in ("experiment", "hydra", "optim")
)
OPTIONS = [[f"{group.name}={path.stem}" for path in sorted(group.glob("*.yaml"))] for group in GROUPS]
ROWS = [tuple(filter(None, row)) for row in zip_longest(*OPTIONS)]
"""Every option of every group once; the groups side by side, so that there is less to compose."""
UNPAIRED = ("cyclegan", "cut", "fastcut", "perceptual_gan")
TAPS = "system.method.taps=null"
"""All taps of whatever generator there is: the paper's five are ResNet's."""
SWAPS = [
    *(("vangogh", method, ()) for method in UNPAIRED),
    *(("monet", method, ()) for method in UNPAIRED),
    *(("quickstart_unpaired", method, ()) for method in UNPAIRED),
    *(("quickstart", method, (TAPS,) if "cut" in method else ()) for method in (*UNPAIRED, "pix2pix")),
    *(("monet_paper", method, ()) for method in ("cut", "perceptual_gan")),
    *(("maps", method, ()) for method in ("cyclegan", "perceptual_gan")),
]
NARROW = ("generator.channels=4", "discriminator.channels=4")
RESERVED = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}


@cache
def composed(*overrides: str) -> DictConfig:
    """What `train.py` composes."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config: DictConfig = compose("train", list(overrides))
    return config


@pytest.mark.parametrize(
    ("words", "monitor", "mode"),
    [
        (("callbacks=quality",), "quality/gain", "max"),
        (("callbacks=quality", "experiment=vangogh"), "quality/gain", "max"),
        (("callbacks=quality", "callbacks.quality.monitor=quality/gram"), "quality/gram", "max"),
        (("callbacks=quality", "experiment=quickstart"), "val/psnr", "max"),
        (("experiment=vangogh",), "val/generator/style", "min"),
    ],
)
def test_quality_leads_the_best_checkpoint_unless_an_experiment_names_a_score(
    words: tuple[str, ...], monitor: str, mode: str
) -> None:
    chosen = composed(*words).callbacks.checkpoints
    assert (chosen.monitor, chosen.mode) == (monitor, mode)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A folder of each layout with a few pictures, by the function that reads it."""
    root = tmp_path_factory.mktemp("pictures")
    fill(root / "unpaired" / "trainA", 2, 0, 300, 310)
    fill(root / "unpaired" / "trainB", 2, 50, 300, 310)
    fill(root / "paired" / "train", 2, 0, 300, 600)
    return {layout: str(root / layout) for layout in ("paired", "unpaired")}


def with_few_pictures(config: DictConfig, pictures: dict[str, str]) -> DictConfig:
    """The configuration with a few made pictures, or a few toy scenes, in the place of its data."""
    layout = config.data._target_.rpartition(".")[2]
    toy = {"size": 32, "scenes": 2, "val": 1, "held_out": 1}
    few = OmegaConf.merge(config, {"data": toy if layout == "toy" else {"root": pictures[layout]}})
    assert isinstance(few, DictConfig)
    return few


def build(pictures: dict[str, str], *overrides: str) -> System:
    """Build the system of a configuration, and see that its best checkpoint is chosen by a score that it has."""
    config = with_few_pictures(composed(*overrides), pictures)
    problem = instantiate(config.data, _convert_="all")
    system = build_system(config, instantiate(config.trainer), problem)
    callbacks = build_callbacks(config).values()
    judges = [callback for callback in callbacks if isinstance(callback, Scoring)]
    known = {name for judge in judges for name in judge.score_names(system, problem)}
    for callback in callbacks:
        if isinstance(callback, Checkpoints):
            assert callback.monitor in {None, *known}
    return system


def objective(system: System) -> dict[str, set[str]]:
    return {player.name: {*player.terms, *player.penalties} for player in system.players}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_builds_and_weighs_each_of_its_terms(experiment: str, pictures: dict[str, str]) -> None:
    system = build(pictures, f"experiment={experiment}")
    assert {player: set(terms) for player, terms in system.weights.items()} == objective(system)


@pytest.mark.parametrize(
    ("experiment", "method", "more"), SWAPS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_method_is_swapped_in_one_word(
    experiment: str, method: str, more: tuple[str, ...], pictures: dict[str, str]
) -> None:
    system = build(pictures, f"experiment={experiment}", f"method={method}", *NARROW, *more)
    target = OmegaConf.load(CONF / "method" / f"{method}.yaml").system.method._target_
    assert type(system.method) is get_object(target)
    assert {player: set(terms) for player, terms in system.weights.items()} == objective(system)


def test_a_method_of_pairs_is_refused_where_there_are_none(pictures: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Pix2Pix learns from pairs, but sources and targets of toy_unpaired show"):
        build(pictures, "experiment=quickstart", "data=toy_unpaired")


def test_an_experiment_keeps_its_networks_when_its_method_is_swapped() -> None:
    before, after = composed("experiment=vangogh"), composed("experiment=vangogh", "method=cyclegan")
    assert before.generator == after.generator
    assert before.discriminator == after.discriminator
    assert before.system.optimizers == after.system.optimizers


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_every_option_composes_and_every_reference_in_it_resolves(row: tuple[str, ...]) -> None:
    assert OmegaConf.to_container(composed(*row), resolve=True, throw_on_missing=True)


@pytest.mark.parametrize("choice", [*ROWS, *((f"experiment={name}",) for name in EXPERIMENTS)], ids=" ".join)
def test_no_key_is_offered_that_a_constructor_does_not_take(choice: tuple[str, ...]) -> None:
    for place, node in targets(OmegaConf.to_container(composed(*choice), resolve=True)):
        taken = inspect.signature(get_object(node["_target_"])).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
            assert set(node) - RESERVED <= set(taken), place


def targets(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a configuration that is built from a `_target_`, and where it stands."""
    if not isinstance(node, dict):
        return
    if "_target_" in node:
        yield place, node
    for key, value in node.items():
        yield from targets(value, f"{place}.{key}".strip("."))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_file_is_short_and_names_itself_and_its_command(experiment: str) -> None:
    text = (CONF / "experiment" / f"{experiment}.yaml").read_text()
    assert len(text.splitlines()) <= 25
    assert re.search(rf"^# python train\.py experiment={experiment}\b", text, re.MULTILINE)
    assert composed(f"experiment={experiment}").name == experiment


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_sweep_varies_keys_that_its_command_composes(sweep: str) -> None:
    text = (CONF / "sweep" / f"{sweep}.yaml").read_text()
    command = re.search(r"^# python train\.py -m (.*)$", text, re.MULTILINE)
    assert command
    config = composed(*command.group(1).split())
    hydra = OmegaConf.load(CONF / "sweep" / f"{sweep}.yaml").hydra
    assert hydra.mode == "MULTIRUN"
    for key, values in hydra.sweeper.params.items():
        assert OmegaConf.select(config, key) is not None
        assert "," in values


def test_every_group_says_what_it_is() -> None:
    silent = [path for path in CONF.rglob("*.yaml") if not path.read_text().startswith("#")]
    assert silent == []


@pytest.mark.slow
@pytest.mark.parametrize("multirun", [("-m",), ()], ids=["with -m", "without -m"])
def test_a_written_sweep_trains_every_combination(tmp_path: Path, multirun: tuple[str, ...]) -> None:
    ended = train(tmp_path, "sweep=seeds", "trainer.max_images=2", "logger=none", *multirun)
    assert ended.code == 0, ended.err
    cards = sorted(newest(tmp_path).glob("*/artifact/card.json"))
    assert [json.loads(card.read_text())["training"]["seed"] for card in cards] == [0, 1, 2]


@pytest.mark.slow
def test_a_written_sweep_over_two_devices_trains_each_trial_once(tmp_path: Path) -> None:
    devices = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.max_images=4")
    ended = train(tmp_path, "sweep=seeds", "logger=none", *devices)
    assert ended.code == 0, ended.err
    assert [path.parent.name for path in sorted(tmp_path.rglob("metrics.json"))] == ["0", "1", "2"]
