"""A memory keeps the newest rows, and goes on from its state."""

import pytest
import torch

from ganstyle.errors import ConfigError
from ganstyle.methods.memory import Memory


def rows(*numbers: float) -> dict[str, torch.Tensor]:
    return {"deep": torch.tensor(numbers)[:, None], "flat": -torch.tensor(numbers)[:, None, None]}


def test_the_newest_rows_are_kept_in_order_and_each_name_has_its_own() -> None:
    memory = Memory(3)
    assert memory.recall("gram", rows(1)) is None
    for batch in (rows(1, 2), rows(3, 4)):
        memory.keep("gram", batch)
    memory.keep("moments", rows(9))
    kept = memory.recall("gram", rows(5))
    assert kept is not None
    assert {name: tensor.flatten().tolist() for name, tensor in kept.items()} == {
        "deep": [2.0, 3.0, 4.0],
        "flat": [-2.0, -3.0, -4.0],
    }
    other = memory.recall("moments", rows(5))
    assert other is not None
    assert other["deep"].tolist() == [[9.0]]


def test_what_was_recalled_stays_what_it_was_before_newcomers_came() -> None:
    memory = Memory(2)
    memory.keep("gram", rows(1, 2))
    earlier = memory.recall("gram", rows(3))
    memory.keep("gram", rows(3))
    assert earlier is not None
    assert earlier["deep"].flatten().tolist() == [1.0, 2.0]


def test_a_memory_that_goes_on_leaves_the_state_as_it_was() -> None:
    memory = Memory(2)
    state = {"gram/deep": torch.tensor([[1.0], [2.0]])}
    memory.load_state_dict(state)
    memory.keep("gram", {"deep": torch.tensor([[3.0]])})
    assert state["gram/deep"].flatten().tolist() == [1.0, 2.0]


def test_what_is_kept_has_no_gradient() -> None:
    memory = Memory(2)
    memory.keep("gram", {"deep": torch.ones(1, 1, requires_grad=True) * 2})
    kept = memory.recall("gram", rows(1))
    assert kept is not None
    assert not kept["deep"].requires_grad


def test_another_memory_goes_on_from_the_state_of_the_first() -> None:
    first, second = Memory(2), Memory(2)
    first.keep("gram", rows(1, 2))
    second.load_state_dict(first.state_dict())
    for memory in (first, second):
        memory.keep("gram", rows(3))
    assert {n: r.tolist() for n, r in first.state_dict().items()} == {n: r.tolist() for n, r in second.rows.items()}


@pytest.mark.parametrize("size", [-1, True])
def test_a_size_that_is_none_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="0 pictures"):
        Memory(size)
