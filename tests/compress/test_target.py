import pytest
import torch

from ganstyle.compress import target
from ganstyle.compress.errors import CompressError
from ganstyle.compress.size import size_of
from ganstyle.compress.target import CHANNELS, choose, factor_of
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet


@pytest.fixture(autouse=True)
def _few_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "BLOCKS", range(2, 4))


@pytest.mark.parametrize(("text", "factor"), [("10x", 10), ("2.5 X", 2.5), ("4", 4)])
def test_a_factor_is_understood(text: str, factor: float) -> None:
    assert factor_of(text) == factor


@pytest.mark.parametrize("text", ["ten", "1x", "0.5x", "-3x", "10 %", ""])
def test_what_is_no_factor_above_one_is_refused(text: str) -> None:
    with pytest.raises(CompressError, match="not a factor above 1; write it as 10x"):
        factor_of(text)


def test_sizes_are_those_of_arithmetic_by_hand() -> None:
    """One block, 4 channels, 256 x 256: kernel x inputs x outputs x places of every convolution."""
    size = size_of(ResNet(blocks=1, channels=4, upsampling="bilinear"))
    full, half, quarter = 256**2, 128**2, 64**2
    down = 49 * 3 * 4 * full + 9 * 4 * 8 * half + 9 * 8 * 16 * quarter
    up = 9 * 16 * 8 * half + 9 * 8 * 4 * full + 49 * 4 * 3 * full
    resizing = 8 * (16 * quarter + 8 * half)
    assert size.multiply_adds == pytest.approx(down + 2 * 9 * 16 * 16 * quarter + up + resizing, rel=0.02)
    weights = 49 * 3 * 4 + 9 * 4 * 8 + 9 * 8 * 16 + 2 * 9 * 16 * 16 + 9 * 16 * 8 + 9 * 8 * 4 + 49 * 4 * 3
    assert size.parameters == weights + 4 + 8 + 16 + 2 * 16 + 8 + 4 + 3


def test_the_student_is_the_largest_that_is_small_enough() -> None:
    teacher = ResNet(blocks=3, channels=16)
    own, student = size_of(teacher), choose(teacher, 6.0)
    assert size_of(Light(**student.arguments)) == student.size
    assert own.parameters >= 6 * student.size.parameters
    assert own.multiply_adds >= 4.8 * student.size.multiply_adds
    wider = student.arguments["channels"] + CHANNELS.step
    larger = size_of(Light(**{**student.arguments, "channels": wider}))
    assert own.parameters < 6 * larger.parameters or own.multiply_adds < 4.8 * larger.multiply_adds


@pytest.mark.parametrize(("own", "students"), [("instance", "affine_instance"), ("none", "none")])
def test_a_student_has_norms_where_its_teacher_has(own: str, students: str) -> None:
    assert choose(ResNet(blocks=3, channels=16, norm=own), 6.0).arguments["norm"] == students


def test_a_factor_out_of_reach_is_refused_with_one_that_is_within() -> None:
    teacher = ResNet(blocks=1, channels=4)
    with pytest.raises(CompressError, match=r"the smallest one allows --target [\d.]+x") as caught:
        choose(teacher, 1000.0)
    possible = float(str(caught.value).rsplit(" ", 1)[1].rstrip("x."))
    if possible > 1.1:
        assert choose(teacher, possible - 0.1).arguments["channels"] == CHANNELS[0]


def test_counting_draws_no_random_numbers() -> None:
    teacher = ResNet(blocks=1, channels=16)
    before = torch.get_rng_state()
    choose(teacher, 3.0)
    assert torch.equal(before, torch.get_rng_state())
