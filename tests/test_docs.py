"""What the documents name is there: links, paths, modules, commands and configuration keys."""

import hashlib
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ganstyle.card import read_card
from ganstyle.cli.parser import COMMANDS, parse
from ganstyle.stylize.photograph import read
from ganstyle.stylize.recipe import read_recipe

REPOSITORY = Path(__file__).resolve().parents[1]
CONF = REPOSITORY / "conf"
DOCUMENTS = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), REPOSITORY / "data" / "README.md"]
TEXTS = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS)}
README = TEXTS["README.md"]
ONE_IDEA = ("cli", "metrics", "stylize")
"""Packages that the map names as a whole."""
GROUPS = "system|trainer|callbacks|data|generator|discriminator|perceptual|logger"
ADDED = {"system.lazy.r1", "system.weights.discriminator.r1"}
"""Keys that a user may add with a plus."""


def links(text: str) -> Iterator[str]:
    """The targets of links and pictures in the repository, without their anchors."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            yield target.partition("#")[0]


def commands(program: str) -> list[str]:
    """Every call of a program in a document's code, fenced or inline, in conf/'s comments or in the text of --help."""
    fences = [fence for text in TEXTS.values() for fence in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)]
    spans = [span for text in TEXTS.values() for span in re.findall(r"(?<!`)`([^`\n]+)`", text)]
    comments = [path.read_text(encoding="utf-8") for path in CONF.rglob("*.yaml")]
    lines = [line.lstrip("# ") for text in [*fences, *spans, *comments] for line in text.splitlines()]
    called = [re.split(r"\s{2,}|\s#", line)[0].strip() for line in lines if line.startswith(f"{program} ")]
    return sorted(set(called))


@cache
def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config: DictConfig = compose("train", list(overrides))
    return config


def overrides(command: str) -> list[str]:
    """What a command of train.py overrides, with one value where a sweep gives several."""
    words = [word for word in shlex.split(command)[2:] if "=" in word and not word.endswith(("=...", "=NAME"))]
    return [re.sub(r"=([\w.]+),[\w.,]+$", r"=\1", word) for word in words]


def flat(config: DictConfig, prefix: str = "") -> set[str]:
    """Every key of a configuration, dots between its parts, those of references left out."""
    found = set()
    for key in map(str, config):
        found.add(f"{prefix}{key}")
        node = config._get_node(key)
        if isinstance(node, DictConfig) and not node._is_none() and not node._is_interpolation():
            found |= flat(node, f"{prefix}{key}.")
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    folder = (REPOSITORY / name).parent
    assert [target for target in links(TEXTS[name]) if not (folder / target).exists()] == []


def test_every_path_that_the_readme_names_exists() -> None:
    named = re.findall(r"`([\w.]+(?:/[\w.]*)+|\w+\.(?:py|md|toml))`", README)
    assert len(named) > 30
    assert [path for path in named if not path.startswith("runs/") and not (REPOSITORY / path).exists()] == []


def test_the_map_names_every_module_of_every_package() -> None:
    missing = []
    for package in sorted(path.parent for path in REPOSITORY.glob("ganstyle/*/__init__.py")):
        row = next(line for line in README.splitlines() if line.startswith(f"| `ganstyle/{package.name}/`"))
        modules = set() if package.name in ONE_IDEA else {path.stem for path in package.glob("*.py")} - {"__init__"}
        missing += [f"{package.name}/{module}" for module in sorted(modules) if not re.search(rf"\b{module}\b", row)]
    assert missing == []


def test_the_map_names_every_group_of_conf_and_every_script() -> None:
    groups = {f"conf/{path.name}/" for path in CONF.iterdir() if path.is_dir()}
    scripts = {path.name for path in (REPOSITORY / "scripts").iterdir() if path.is_file()}
    assert [name for name in groups | scripts if name not in README] == []


@pytest.mark.parametrize("command", [*commands("python train.py"), *commands("torchrun")])
def test_a_training_command_of_the_documents_composes(command: str) -> None:
    assert composed(*overrides(command)).name


@pytest.mark.parametrize("command", commands("ganstyle"))
def test_a_command_of_ganstyle_in_the_documents_is_understood(command: str) -> None:
    words = shlex.split(command)[1:]
    names = [word.strip(",") for word in words]
    assert "--help" in words or set(names) <= set(COMMANDS) or parse(words).run


def test_every_program_that_the_documents_call_exists() -> None:
    programs = {command.split()[1] for command in commands("python") if not command.startswith("python -")}
    modules = {command.split()[2].replace(".", "/") for command in commands("python -m")}
    there = {
        module: f"{module}/__main__.py" if (REPOSITORY / module).is_dir() else f"{module}.py" for module in modules
    }
    assert [path for path in sorted(programs | {*there.values()}) if not (REPOSITORY / path).is_file()] == []


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "docs/architecture.md"])
def test_a_configuration_key_in_the_documents_is_one(name: str) -> None:
    named = re.findall(rf"`[~+]?((?:{GROUPS})(?:\.\w+)+)(?:=[^`]*)?`", TEXTS[name])
    wholes = [
        ("experiment=vangogh", "logger=wandb", "callbacks=quality"),
        ("data=paired", "method=cut"),
        ("experiment=monet_paper",),
    ]
    known = {key for whole in wholes for key in flat(composed(*whole))} | ADDED
    assert [key for key in named if key not in known] == []


def test_pictures_are_small() -> None:
    pictures = [path for path in (REPOSITORY / "docs").rglob("*") if path.suffix in (".png", ".jpg")]
    assert [path.name for path in pictures if path.stat().st_size > 300_000] == []


def test_the_readme_shows_what_its_command_makes_of_a_photograph() -> None:
    """The picture's recipe names the photograph and the model beside it; another model asks for another picture."""
    images, model = REPOSITORY / "docs/images", REPOSITORY / "examples/models/vangogh"
    assert "ganstyle stylize docs/images/barn.webp --model examples/models/vangogh" in README
    photo = read(images / "barn_vangogh.webp")
    recipe = read_recipe(photo.recipe, "barn_vangogh.webp")
    assert recipe.input == hashlib.sha256((images / "barn.webp").read_bytes()).hexdigest()
    assert recipe.weights == read_card(model).weights_sha256
    assert recipe.model == "examples/models/vangogh"
