"""What a user may set of every method, refused by its key where it would train something else."""

import pytest
from methods.conftest import build

from ganstyle.errors import ConfigError
from ganstyle.methods.base import check_switches

METHODS = ("pix2pix", "cyclegan", "cut", "perceptual_gan")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, -1, True])
def test_the_generator_moves_on_every_whole_number_of_batches(method: str, value: object) -> None:
    with pytest.raises(ConfigError, match=r"system\.method\.n_critic must be a whole number of at least 1, but got"):
        build(method, n_critic=value)


@pytest.mark.parametrize("value", ["no", 5, None])
def test_a_switch_is_true_or_false(value: object) -> None:
    check_switches(r1=True, identity=False)
    with pytest.raises(ConfigError, match=r"system\.method\.identity cannot be"):
        check_switches(r1=True, identity=value)


@pytest.mark.parametrize(
    ("method", "knob", "value", "sentence"),
    [
        ("cut", "temperature", 0.0, "temperature must be a number of at least 0.001, but got 0.0"),
        ("cut", "temperature", -1.0, "temperature must be a number of at least 0.001, but got -1.0"),
        ("cut", "patches", 0, "patches must be a whole number of at least 1, but got 0"),
        ("cut", "width", 0, "width must be a whole number of at least 1, but got 0"),
        ("cut", "taps", [], "taps is empty; name some of the generator's features"),
        ("perceptual_gan", "remembered", -1, "remembered must be a whole number of at least 0, but got -1"),
    ],
)
def test_what_would_train_something_else_is_refused(method: str, knob: str, value: object, sentence: str) -> None:
    with pytest.raises(ConfigError, match=rf"system\.method\.{sentence}"):
        build(method, **{knob: value})


def test_style_as_a_distribution_wants_more_than_one_picture_at_a_time() -> None:
    assert build("perceptual_gan").least_batch == 2
    assert build("perceptual_gan", style=["patches"]).least_batch == 1
    assert build("perceptual_gan", style_target="each").least_batch == 1
    assert build("cut").least_batch == 1
