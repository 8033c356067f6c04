import unicodedata

import pytest

from ganstyle.data.names import matched, slug, untangled


@pytest.mark.parametrize("encoding", ["cp437", "latin-1", "cp1252"])
def test_a_wrong_encoding_is_undone(encoding: str) -> None:
    assert untangled("l'arlésienne".encode().decode(encoding)) == "l'arlésienne"


def test_accents_written_as_two_characters_are_the_same() -> None:
    assert untangled(unicodedata.normalize("NFD", "vallée")) == "vallée"


@pytest.mark.parametrize(
    "disk", ["s/vallÃ©e.jpg", "s/vall├⌐e.jpg", "s/valle\u0301e.jpg", "s/vall�e.jpg", "s/vallée (1).jpg"]
)
def test_a_name_finds_its_file_however_it_was_garbled(disk: str) -> None:
    assert matched(["s/vallée.jpg", "s/other.jpg"], ["s/other.jpg", disk]) == [disk, "s/other.jpg"]


def test_exact_names_come_first() -> None:
    there = ["s/x.jpg", "s/x (1).jpg"]
    assert matched(["s/x (1).jpg", "s/x.jpg"], there) == ["s/x (1).jpg", "s/x.jpg"]
    assert matched(["s/x.jpg"], there) == ["s/x.jpg"]


def test_doubt_is_no_match() -> None:
    assert matched(["s/x.jpg"], ["s/x (1).jpg", "s/x (2).jpg"]) == [None]
    assert matched(["s/é.jpg", "s/è.jpg"], ["s/�.jpg"]) == [None, None]
    assert matched(["s/y.jpg"], ["s/x.jpg"]) == [None]


@pytest.mark.parametrize("name", ["Vincent van Gogh", "vincent-van-gogh", "Vincent_van_Gogh"])
def test_a_slug_is_how_files_write_a_name(name: str) -> None:
    assert slug(name) == "vincent-van-gogh"
    assert slug("Field/Wild") == "field/wild"
    assert slug("Édouard Manet") == "edouard-manet"
