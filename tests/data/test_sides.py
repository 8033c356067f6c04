from pathlib import Path

import pytest
import torch
from data.pictures import fill
from data.trees import places_tree, shard, wikiart_tree

from ganstyle.data.problem import Problem
from ganstyle.data.unpaired import unpaired
from ganstyle.errors import ConfigError, DataError


def pose(source: str, target: str, **more: object) -> Problem:
    return unpaired(source=source, target=target, crop=24, view=24, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("trees")
    return f"places:{places_tree(root / 'places')}", f"wikiart:{wikiart_tree(root / 'wikiart')}"


def test_photographs_of_places_become_paintings_of_wikiart(trees: tuple[str, str]) -> None:
    problem = pose(*trees, artist="Vincent van Gogh", category=["field", "village"])
    assert problem.card["counts"] == {"source": 9, "target": 9, "test": 3}
    assert problem.card["name"] == "places (category field or village) -> wikiart (artist Vincent van Gogh)"
    assert "research only (Places365)" in problem.card["licence"]
    assert problem.train[0]["source"].shape == problem.test[2]["target"].shape == (3, 24, 24)


def test_filters_of_several_kinds_hold_together(trees: tuple[str, str]) -> None:
    problem = pose(*trees, artist=["claude-monet", "vincent-van-gogh"], style="ukiyo-e", genre="landscape")
    assert problem.card["counts"]["target"] == 4  # two painters, one style, two of three training pictures
    assert problem.card["counts"]["source"] == 15


def test_either_collection_may_be_either_side_with_filters_of_its_own(trees: tuple[str, str]) -> None:
    problem = pose(f"{trees[1]}?style=Impressionism", f"{trees[1]}?style=Ukiyo_e&artist=katsushika-hokusai")
    assert problem.card["counts"] == {"source": 9, "target": 3, "test": 3}
    back = pose(trees[1], trees[0], category="airfield", style="Ukiyo-e")
    assert back.card["counts"] == {"source": 9, "target": 3, "test": 3}


def test_a_folder_may_be_the_other_side(trees: tuple[str, str], tmp_path: Path) -> None:
    paintings = fill(tmp_path / "paintings", 5)
    assert pose(trees[0], str(paintings), category="village").card["counts"] == {"source": 3, "target": 5, "test": 1}


def test_shards_are_read_by_the_same_sampler(tmp_path: Path) -> None:
    for number in range(2):
        shard(tmp_path / "tars" / f"{number}.tar", range(10 * number, 10 * number + 10))
    problem = pose(f"{tmp_path}/tars/*.tar", str(fill(tmp_path / "paintings", 3)), held_out=0.2, flip=False)
    assert problem.card["counts"] == {"source": 16, "target": 3, "test": 4}
    epoch = {problem.train[number]["source"].numpy().tobytes() for number in range(16)}
    assert len(epoch) == 16
    again = pose(f"{tmp_path}/tars/*.tar", str(tmp_path / "paintings"), held_out=0.2, flip=False)
    assert torch.equal(problem.train[37]["source"], again.train[37]["source"])


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"artist": "vincent-van-gog"}, r"unknown data\.artist 'vincent-van-gog'; did you mean 'vincent-van-gogh'"),
        ({"category": "vilage"}, r"unknown data\.category 'vilage'; did you mean 'village'"),
    ],
)
def test_a_misspelt_name_is_refused(trees: tuple[str, str], keys: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pose(*trees, **keys)


def test_a_filter_that_no_side_knows_is_refused(trees: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.artist chooses among labels that neither side has"):
        pose(trees[0], str(fill(tmp_path / "p", 2)), artist="claude-monet")
    with pytest.raises(ConfigError, match="unknown filter 'painter'"):
        pose(f"{trees[1]}?painter=x", trees[0])


def test_names_that_exclude_each_other_leave_nothing(trees: tuple[str, str], tmp_path: Path) -> None:
    root = wikiart_tree(tmp_path, each=1)  # the first of each is a landscape
    with pytest.raises(ConfigError, match=r"unknown data\.genre 'portrait'"):
        pose(trees[0], f"wikiart:{root}", genre="portrait")
    with pytest.raises(DataError, match="holds no picture with artist claude-monet, genre still-life"):
        pose(trees[0], f"wikiart:{root}", genre="still-life", artist="claude-monet")


def test_the_cache_changes_no_example(trees: tuple[str, str], tmp_path: Path) -> None:
    plain, cached = pose(*trees), pose(*trees, cache=str(tmp_path / "cache"))
    for number in (0, 5, 33):
        assert all(torch.equal(plain.train[number][key], cached.train[number][key]) for key in plain.train[number])  # type: ignore[literal-required]
    assert len(list((tmp_path / "cache").glob("*/pixels.bin"))) == 2
