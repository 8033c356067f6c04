from pathlib import Path

import pytest
import torch
from data.pictures import fill, save
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
        ({"artist": []}, r"data\.artist names nothing; name one, or leave it null\."),
        ({"category": "vilage"}, r"unknown data\.category 'vilage'; did you mean 'village'"),
    ],
)
def test_a_misspelt_name_is_refused(trees: tuple[str, str], keys: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pose(*trees, **keys)


def test_a_filter_that_no_side_knows_is_refused(trees: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.artist chooses among labels that neither side has"):
        pose(trees[0], str(fill(tmp_path / "p", 2)), artist="claude-monet")
    with pytest.raises(ConfigError, match="unknown filter 'painter'"):
        pose(f"{trees[1]}?painter=x", trees[0])


def test_a_filter_is_refused_where_both_addresses_name_their_own(trees: tuple[str, str], tmp_path: Path) -> None:
    paintings = f"{trees[1]}?artist=claude-monet"
    with pytest.raises(ConfigError, match=r"data\.artist chooses among labels .* that its address names already"):
        pose(str(fill(tmp_path / "p", 2)), paintings, artist="vincent-van-gogh")
    assert pose(trees[1], paintings, artist="vincent-van-gogh").card["counts"] == {"source": 9, "target": 9, "test": 3}


@pytest.mark.parametrize(
    ("side", "query", "words"),
    [
        (1, "category=field", "unknown filter 'category' in .*; wikiart can be filtered by artist or genre or style"),
        (0, "artist=nobody", "unknown filter 'artist' in .*; places can be filtered by category"),
        (1, "style=", r"the filter style in .* has no name; wikiart can be filtered by .* written as \?style=NAME"),
        (1, "artist=claude-monet&style", r"the filter style in .*artist=claude-monet&style has no name"),
        (0, "category=field&category=", "the filter category in .* has no name; places can be filtered by category"),
    ],
)
def test_a_filter_in_an_address_that_chooses_nothing_is_refused(
    trees: tuple[str, str], tmp_path: Path, side: int, query: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        pose(f"{trees[side]}?{query}", str(tmp_path))


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


def test_the_card_of_a_large_collection_tells_what_is_held_out(trees: tuple[str, str], tmp_path: Path) -> None:
    before = pose(*trees).card
    root = places_tree(tmp_path)
    assert pose(f"places:{root}", trees[1]).card == before
    save(root / "val_256" / "Places365_val_00000003.jpg", 999, 40, 40)
    (root / "val_256" / "new").touch()  # another file, so that the index is made anew
    after = pose(f"places:{root}", trees[1]).card
    assert after["content"] == before["content"]
    assert after["held_out"]["source"] != before["held_out"]["source"]
    assert after["held_out"]["target"] == before["held_out"]["target"]
