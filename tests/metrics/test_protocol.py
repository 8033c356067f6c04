import json
from dataclasses import replace

import pytest

from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.protocol import ENOUGH, Measured, Protocol, ProtocolError

PROTOCOL = Protocol(
    data="toy, test",
    sources=200,
    reference="all target images of toy",
    paintings=264,
    crops=264,
    reference_sha256="ab" * 32,
    size=96,
    resize="none",
    features="embedded",
    features_sha256="cd" * 32,
    weights="ema",
    dropout="none",
    normalization="instance",
    seed=0,
    commit="0123456789ab",
    versions=(("torch", "2.15.0"),),
)
GAPS = {"data": "", "reference": "", "reference_sha256": "", "features": "", "features_sha256": "", "commit": ""} | {
    "sources": 0,
    "paintings": 0,
    "crops": 0,
    "size": 0,
    "versions": (),
}


@pytest.mark.parametrize("name", GAPS)
def test_a_score_without_its_protocol_cannot_be_printed(name: str) -> None:
    with pytest.raises(ProtocolError, match=name):
        replace(PROTOCOL, **{name: GAPS[name]})


def test_a_number_is_printed_with_its_interval() -> None:
    assert Measured("edges", Interval(0.5, 0.25, 0.75), PROTOCOL).printed(2) == "0.50 [0.25, 0.75]"
    assert Measured("edges", Interval(1.0, 1.0, 1.0), PROTOCOL).printed(2) == "1.00"
    assert Measured("gram", Interval(0.5, 0.25, 0.75), PROTOCOL, trained_with=True).printed(2).endswith("‡")
    assert Measured("edges", Interval(float("nan"), 0.0, 0.0), PROTOCOL).printed() == "n/a"


def test_enough_pictures_leave_rows_unmarked() -> None:
    PROTOCOL.require_enough(force=False)
    assert PROTOCOL.mark() == ""
    assert "†" not in PROTOCOL.counts()


@pytest.mark.parametrize("name", ["sources", "paintings"])
def test_few_pictures_are_refused_or_marked(name: str) -> None:
    few = replace(PROTOCOL, **{name: ENOUGH - 1})
    with pytest.raises(ProtocolError, match="--force"):
        few.require_enough(force=False)
    few.require_enough(force=True)
    assert few.mark() == "†"
    assert str(ENOUGH - 1) in few.counts()
    assert "† marks every row" in few.counts()


def test_windows_of_few_paintings_do_not_make_them_many() -> None:
    few = replace(PROTOCOL, paintings=8, crops=1000)
    assert few.small
    assert "8 pictures" in few.counts()
    assert "1000 windows" in few.counts()


def test_a_protocol_is_plain_and_names_every_entry() -> None:
    assert json.loads(json.dumps(PROTOCOL.plain()))["versions"] == {"torch": "2.15.0"}
    assert "features_sha256 cdcd" in PROTOCOL.text()
    assert "versions torch 2.15.0" in PROTOCOL.text()
