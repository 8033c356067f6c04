from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from ganstyle.errors import ConfigError, WeightsError
from ganstyle.methods.perceptual_gan import PerceptualGAN
from ganstyle.types import Batch, Losses

Tiny = Callable[..., PerceptualGAN]


def losses(method: PerceptualGAN, outputs: Any) -> Losses:
    return next(player.losses(outputs) for player in method.players if player.name == "generator")


def test_a_result_that_is_its_source_has_lost_no_content(tiny: Tiny, batch: Batch) -> None:
    method = tiny("perceptual_gan")
    outputs = method(batch)
    assert losses(method, outputs)["content"] > 0.01
    assert losses(method, replace(outputs, fake=outputs.source))["content"] == 0


def test_a_result_that_is_its_target_has_its_style(tiny: Tiny, batch: Batch) -> None:
    method = tiny("perceptual_gan", style=["gram", "moments", "patches"], style_target="each")
    outputs = method(batch)
    for term in ("style", "style_moments", "style_patches"):
        assert losses(method, outputs)[term] > 0.001
        assert losses(method, replace(outputs, fake=outputs.target))[term] < 1e-9


def test_content_ignores_contrast_unless_it_is_told_not_to(tiny: Tiny, batch: Batch) -> None:
    normalized = tiny("perceptual_gan")
    plain = tiny("perceptual_gan", content_normalized=False)
    plain.load_state_dict(normalized.state_dict())
    outputs = normalized(batch)
    faded = replace(outputs, fake=outputs.source * 0.5)
    by_one, by_other = (losses(each, faded)["content"] for each in (normalized, plain))
    assert by_one < 0.1 < by_other / by_one


def test_style_takes_one_name_or_several_once_each(tiny: Tiny) -> None:
    assert tiny("perceptual_gan", style="moments").style == ("moments",)
    assert tiny("perceptual_gan", style=["gram", "gram"]).style == ("gram",)
    assert tiny("perceptual_gan", style=[]).style == ()


@pytest.mark.parametrize(
    ("knob", "value", "message"),
    [
        ("style", ["grams"], r"unknown style 'grams'; did you mean 'gram'\?"),
        ("style_target", "mean", r"unknown style target 'mean'; did you mean 'batch_mean'\?"),
        ("identity_every", -1, "system.method.identity_every must be a whole number of at least 0, but got -1"),
        ("identity_every", True, "system.method.identity_every must be a whole number of at least 0, but got True"),
        ("content_layers", {}, "system.method.content_layers is empty; give at least one layer"),
    ],
)
def test_a_wrong_knob_is_refused_in_a_sentence(tiny: Tiny, knob: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tiny("perceptual_gan", **{knob: value})


def test_a_layer_beyond_the_features_is_refused_before_training(tiny: Tiny) -> None:
    with pytest.raises(WeightsError, match="ends at relu4_1 and has no relu5_1"):
        tiny("perceptual_gan", style_layers={"relu5_1": 1.0})


def test_the_features_stay_frozen_whatever_the_method_is_told(tiny: Tiny, batch: Batch) -> None:
    method = tiny("perceptual_gan").train()
    assert not method.perceptual.training
    torch.stack(list(losses(method, method(batch)).values())).sum().backward()
    assert all(parameter.grad is None for parameter in method.perceptual.parameters())


@pytest.mark.parametrize(("every", "kept"), [(1, 2), (2, 1), (4, 1)])
def test_the_identity_is_asked_of_every_nth_picture_and_of_all_in_evaluation(
    tiny: Tiny, batch: Batch, every: int, kept: int
) -> None:
    method = tiny("perceptual_gan", identity_every=every)
    assert len(method.train()(batch).identity) == kept
    assert len(method.eval()(batch).identity) == len(batch["target"])


@pytest.mark.parametrize(("measure", "term"), [("gram", "style"), ("bands", "style_bands")])
def test_style_is_compared_with_remembered_targets_in_training_only(
    tiny: Tiny, batch: Batch, measure: str, term: str
) -> None:
    method = tiny("perceptual_gan", style=[measure], style_target="distribution", remembered=3)
    outputs = method(batch)
    other = replace(outputs, target=outputs.target.flip(3) * 0.2)
    alone = losses(method.eval(), outputs)[term]
    assert losses(method.train(), outputs)[term] == alone  # nothing to remember yet
    losses(method, other)
    assert abs(losses(method, outputs)[term] - alone) > 1e-4
    assert losses(method.eval(), outputs)[term] == alone
    (memory,) = method.memories.values()
    assert {len(rows) for rows in memory.rows.values()} == {3}
