from pathlib import Path

import pytest
from data.pictures import fill
from data.trees import places_tree, wikiart_tree
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.problem import Problem

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


def test_the_painter_is_what_the_photographs_become() -> None:
    assert OmegaConf.load(CONF / "monet2photo.yaml").direction == "BtoA"
    assert OmegaConf.load(CONF / "vangogh2photo.yaml").direction == "BtoA"
