from pathlib import Path

import jaxtyping
import pytest
from data.pictures import fill
from data.trees import places_tree, wikiart_tree
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.paired import paired
from ganstyle.data.photographs import photographs
from ganstyle.data.problem import Problem
from ganstyle.data.unpaired import unpaired
from ganstyle.errors import ConfigError

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"
NAMES = sorted(path.stem for path in CONF.glob("*.yaml"))
LARGE = {"wikiart": ("target",), "places": ("source",), "wikiart_places": ("source", "target")}
"""Indexed collections, and which sides of the problem they are."""


def build(name: str, **values: object) -> Problem:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        data = compose(name)
    problem = instantiate(OmegaConf.merge({"seed": 0, "data": data}, {"data": values}).data)
    assert isinstance(problem, Problem)
    return problem


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("pictures")
    for start, name in ((0, "trainA"), (50, "trainB"), (80, "testA"), (90, "testB")):
        fill(root / "unpaired" / name, 2, start, 300, 310)
    fill(root / "paired" / "train", 2, 0, 64, 128)
    wikiart_tree(root / "wikiart", each=1)
    places_tree(root / "places", each=1)
    return {kind: str(root / kind) for kind in ("paired", "unpaired", "wikiart", "places")}


@pytest.mark.parametrize("name", NAMES)
def test_every_data_config_builds_and_gives_pictures_of_one_size(name: str, pictures: dict[str, str]) -> None:
    if name.startswith("toy"):
        problem = build(name, size=32, scenes=2, val=1, held_out=1)
    elif name in LARGE:
        folder = f"{pictures['unpaired']}/trainB"
        sides = {"source": f"places:{pictures['places']}", "target": f"wikiart:{pictures['wikiart']}"}
        problem = build(name, **{side: place if side in LARGE[name] else folder for side, place in sides.items()})
    elif name == "photographs":
        problem = build(name, folder=f"{pictures['unpaired']}/trainB")
    else:
        kind = "paired" if name.startswith(("paired", "maps", "facades")) else "unpaired"
        problem = build(name, root=pictures[kind])
    for examples in (problem.train, problem.val, problem.test):
        example = examples[0]
        assert example["source"].shape == example["target"].shape
        assert -1 <= example["source"].min() < example["source"].max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name in CATALOGUE])
def test_a_public_set_looks_where_fetch_puts_it(name: str) -> None:
    assert OmegaConf.load(CONF / f"{name}.yaml").root == f"data/{name}"


@pytest.fixture
def _as_a_user_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check of types that tests have and users have not."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


WRONG = [
    ("flip", "no", r"data\.flip cannot be 'no'; there is false, true"),
    ("flip", 1, r"data\.flip cannot be 1; there is false, true"),
    ("whole_scales", "off", r"data\.whole_scales cannot be 'off'; there is false, true"),
    ("crop", "x", r"data\.crop must be a whole number of at least 1, but got 'x'"),
    ("crop", 32.5, r"data\.crop must be a whole number of at least 1, but got 32\.5"),
    ("view", "x", r"data\.view must be a whole number of at least 1, but got 'x'"),
    ("val", "a", r"data\.val must be a whole number of at least 1, but got 'a'"),
    ("held_out", "0.1", r"data\.held_out must be a number, but got '0\.1'"),
    ("source_resize", "36px", r"data\.source_resize must be a whole number of at least 1, but got '36px'"),
    ("target_resize", 0, r"data\.target_resize must be a whole number of at least 1, but got 0"),
    ("target_scales", 3, r"data\.target_scales must be two numbers, 1 <= low <= high, but is 3"),
    ("source_scales", [1, "x"], r"data\.source_scales must be a number, but got 'x'"),
    ("artist", 5, r"unknown data\.artist '5'; there is .*vincent-van-gogh"),
]


@pytest.mark.usefixtures("_as_a_user_calls")
@pytest.mark.parametrize(("key", "value", "words"), WRONG)
def test_a_value_of_another_kind_is_told_with_its_key(
    pictures: dict[str, str], tmp_path: Path, key: str, value: object, words: str
) -> None:
    target = f"wikiart:{pictures['wikiart']}"
    with pytest.raises(ConfigError, match=words):
        unpaired(source=str(fill(tmp_path, 12)), target=target, **{"crop": 24, key: value})  # type: ignore[arg-type]


@pytest.mark.usefixtures("_as_a_user_calls")
@pytest.mark.parametrize("key", ["crop", "flip", "resize", "view", "val", "held_out"])
def test_pairs_and_photographs_tell_a_wrong_value_too(pictures: dict[str, str], tmp_path: Path, key: str) -> None:
    values: dict[str, object] = {"crop": 24, key: "x"}
    with pytest.raises(ConfigError, match=rf"data\.{key} .*'x'"):
        photographs(str(fill(tmp_path, 12)), **values)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=rf"data\.{key} .*'x'"):
        paired(pictures["paired"], **values)  # type: ignore[arg-type]


def test_the_painter_is_what_the_photographs_become() -> None:
    assert OmegaConf.load(CONF / "monet2photo.yaml").direction == "BtoA"
    assert OmegaConf.load(CONF / "vangogh2photo.yaml").direction == "BtoA"


@pytest.mark.parametrize("name", ["paired", "unpaired"])
def test_further_augmentations_are_given_as_the_guide_says(name: str) -> None:
    with initialize_config_dir(str(CONF.parent), version_base="1.3"):
        config = compose("train", [f"data={name}", "data.augment={ColorJitter: {hue: 0.02}}"])
    assert config.data.augment == {"ColorJitter": {"hue": 0.02}}
