from io import BytesIO
from typing import Any

import pytest
import torch
from torch import Tensor

from ganstyle.errors import ConfigError
from ganstyle.methods.pool import ImagePool


def numbered(first: int, count: int) -> Tensor:
    """Images whose color is their number."""
    return torch.arange(first, first + count).float()[:, None, None, None].expand(-1, 3, 2, 2)


def numbers(images: Tensor) -> list[int]:
    return [int(image[0, 0, 0]) for image in images]


def test_a_pool_returns_every_image_as_it_came_until_it_is_full() -> None:
    pool = ImagePool(size=6)
    assert numbers(pool.exchange(numbered(0, 4))) == [0, 1, 2, 3]
    assert numbers(pool.exchange(numbered(4, 2))) == [4, 5]
    assert numbers(torch.stack(pool.images)) == [0, 1, 2, 3, 4, 5]


def test_a_full_pool_returns_about_half_older_images() -> None:
    pool = ImagePool(size=50, seed=1)
    returned = [number for n in range(500) for number in numbers(pool.exchange(numbered(4 * n, 4)))]
    older = sum(number != position for position, number in enumerate(returned[50:], start=50))
    assert 0.46 < older / 1950 < 0.54


def test_an_image_never_comes_back_twice() -> None:
    pool = ImagePool(size=5)
    returned = [number for n in range(100) for number in numbers(pool.exchange(numbered(2 * n, 2)))]
    assert all(returned.count(number) <= 2 for number in returned)  # once when it was new, once out of the pool
    assert len(pool.images) == 5


def test_a_pool_of_size_zero_is_off() -> None:
    images = numbered(0, 3)
    assert ImagePool(size=0).exchange(images) is images


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 images \\(off\\) or more, but got -1"):
        ImagePool(size=-1)


def test_what_a_pool_returns_is_a_constant_of_its_own() -> None:
    pool = ImagePool(size=2)
    images = numbered(0, 2).clone().requires_grad_()
    assert not pool.exchange(images).requires_grad
    with torch.no_grad():
        images += 100
    assert numbers(torch.stack(pool.images)) == [0, 1]


def reloaded(state: dict[str, Any]) -> dict[str, Any]:
    file = BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


def test_a_pool_continues_from_its_state_as_if_nothing_had_happened() -> None:
    pool, other = ImagePool(size=5, seed=3), ImagePool(size=5, seed=4)
    pool.exchange(numbered(0, 12))
    other.load_state_dict(reloaded(pool.state_dict()))
    for n in range(5):
        new = numbered(20 + 4 * n, 4)
        assert torch.equal(pool.exchange(new), other.exchange(new))


def test_pools_of_two_ranks_differ_and_each_can_be_had_again() -> None:
    def history(*parts: int | str) -> list[int]:
        pool = ImagePool(size=3)
        pool.reseed(*parts)
        return numbers(pool.exchange(numbered(0, 40)))

    assert history(7, "rank", 0) == history(7, "rank", 0)
    assert history(7, "rank", 0) != history(7, "rank", 1)
