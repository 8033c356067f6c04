from hypothesis import given
from hypothesis import strategies as st

from ganstyle.metrics.shards import CHUNK, chunks, mine, rank, together


@given(count=st.integers(1, 500))
def test_every_source_is_in_one_chunk(count: int) -> None:
    found = chunks(count)
    assert [number for chunk in found for number in chunk] == list(range(count))
    assert all(len(chunk) == CHUNK for chunk in found[:-1])
    assert 1 <= len(found[-1]) <= CHUNK


def test_a_process_on_its_own_does_everything_in_order() -> None:
    assert rank() == 0
    assert mine([3, 1, 2]) == [3, 1, 2]
    assert together([3, 1, 2]) == [3, 1, 2]
