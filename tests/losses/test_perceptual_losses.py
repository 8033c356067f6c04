import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.errors import ConfigError
from ganstyle.losses.perceptual import (
    content_loss,
    gram,
    instance_normalized,
    moments,
    style_loss,
    style_statistics,
)

SEED = st.integers(0, 1000)
LAYERS = {"shallow": 1.0, "deep": 0.5}
TARGETS: list[str] = ["each", "batch_mean", "nearest"]


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def features(seed: int, batch: int = 4) -> dict[str, Tensor]:
    return {"shallow": noise(seed, batch, 3, 6, 8).abs(), "deep": noise(seed + 1, batch, 5, 3, 4).abs()}


def part(of: dict[str, Tensor], chosen: slice) -> dict[str, Tensor]:
    return {layer: activations[chosen] for layer, activations in of.items()}


# Statistics


@given(seed=SEED)
def test_a_gram_matrix_agrees_with_a_loop(seed: int) -> None:
    activations = noise(seed, 2, 3, 2, 4)
    for image, matrix in zip(activations, gram(activations), strict=True):
        for one in range(3):
            for other in range(3):
                products = (image[one] * image[other]).flatten().tolist()
                assert matrix[one, other].item() == pytest.approx(sum(products) / 8)


@given(seed=SEED)
def test_a_gram_matrix_is_symmetric_and_has_no_negative_eigenvalue(seed: int) -> None:
    matrix = gram(noise(seed, 2, 6, 2, 2))
    torch.testing.assert_close(matrix, matrix.mT)
    assert torch.linalg.eigvalsh(matrix).min() > -1e-9


@pytest.mark.parametrize("statistic", [gram, moments])
@given(seed=SEED)
def test_statistics_forget_places_and_hold_for_a_tiled_image(statistic, seed: int) -> None:
    activations = noise(seed, 2, 3, 4, 6)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(seed))
    shuffled = activations.flatten(2)[:, :, order].view_as(activations)
    torch.testing.assert_close(statistic(shuffled), statistic(activations))
    torch.testing.assert_close(statistic(activations.repeat(1, 1, 2, 3)), statistic(activations))


def test_statistics_by_hand() -> None:
    # channels (1, 3) and (0, 2): means 2 and 1, deviations 1 and 1; products (1+9)/2, (0+6)/2, (0+4)/2
    activations = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])
    assert gram(activations).tolist() == [[[5, 3], [3, 2]]]
    torch.testing.assert_close(moments(activations), torch.tensor([[[2.0, 1.0], [1.0, 1.0]]]), atol=1e-4, rtol=0)


# Content


@given(seed=SEED)
def test_content_agrees_with_a_loop(seed: int) -> None:
    a, b = features(seed, 2), features(seed + 9, 2)
    expected = 0.0
    for layer, weight in LAYERS.items():
        squares = [(x - y) ** 2 for x, y in zip(a[layer].flatten().tolist(), b[layer].flatten().tolist(), strict=True)]
        expected += weight * sum(squares) / len(squares)
    assert content_loss(a, b, LAYERS).item() == pytest.approx(expected)


@given(seed=SEED, scale=st.floats(0.5, 20), shift=st.floats(-5, 5))
def test_normalized_content_ignores_level_and_contrast_of_a_channel(seed: int, scale: float, shift: float) -> None:
    a, b = features(seed), features(seed + 9)
    changed = {layer: scale * activations + shift for layer, activations in a.items()}
    before, after = (content_loss(each, b, LAYERS, normalized=True) for each in (a, changed))
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)
    assert content_loss(changed, a, LAYERS, normalized=True) < 1e-3


@given(seed=SEED)
def test_a_layer_of_normalized_content_costs_at_most_four_times_its_weight(seed: int) -> None:
    a = {"shallow": noise(seed, 2, 3, 6, 8)}
    opposite = {"shallow": -a["shallow"]}
    loss = content_loss(a, opposite, {"shallow": 1.0}, normalized=True)
    assert 3.99 < loss <= 4


def test_unrelated_channels_cost_two_by_hand() -> None:
    # (1, 1, -1, -1) against (1, -1, 1, -1): differences 0, 2, -2, 0, so (4 + 4) / 4
    a = {"deep": torch.tensor([1.0, 1.0, -1.0, -1.0]).view(1, 1, 2, 2)}
    b = {"deep": torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 1, 2, 2)}
    assert content_loss(a, b, {"deep": 1.0}) == 2
    assert content_loss(a, b, {"deep": 0.5}, normalized=True).item() == pytest.approx(1, abs=1e-4)


def test_a_dead_channel_stays_zero_when_normalized() -> None:
    dead = torch.full((1, 1, 3, 3), 7.0, requires_grad=True)
    normalized = instance_normalized(dead)
    normalized.sum().backward()
    assert not normalized.any()
    assert dead.grad is not None
    assert dead.grad.isfinite().all()


# Style


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("statistic", [gram, moments])
@given(seed=SEED)
def test_style_is_zero_for_a_copy_and_positive_otherwise(statistic, target: str, seed: int) -> None:
    a = {layer: activations[:1].expand(2, -1, -1, -1) for layer, activations in features(seed).items()}
    assert style_loss(a, a, LAYERS, statistic=statistic, target=target) < 1e-20
    assert style_loss(features(seed + 5, 2), a, LAYERS, statistic=statistic, target=target) > 0


@pytest.mark.parametrize("target", [*TARGETS, "distribution"])
@given(seed=SEED, scale=st.floats(0.01, 100))
def test_one_weight_holds_for_feature_networks_of_any_loudness(target: str, seed: int, scale: float) -> None:
    a, b = features(seed), features(seed + 9)
    louder = [{layer: scale * activations for layer, activations in each.items()} for each in (a, b)]
    torch.testing.assert_close(style_loss(*louder, LAYERS, target=target), style_loss(a, b, LAYERS, target=target))


@pytest.mark.parametrize("target", ["each", "batch_mean"])
@given(seed=SEED)
def test_an_image_without_activation_is_at_distance_one_in_every_layer(target: str, seed: int) -> None:
    nothing = {layer: torch.zeros_like(activations) for layer, activations in features(seed).items()}
    loss = style_loss(nothing, features(seed), LAYERS, target=target)
    assert loss.item() == pytest.approx(sum(LAYERS.values()))


@given(seed=SEED)
def test_style_agrees_with_a_loop(seed: int) -> None:
    a, b = features(seed, 2), features(seed + 9, 2)
    expected = 0.0
    for layer, weight in LAYERS.items():
        for x, y in zip(gram(a[layer]).flatten(1).tolist(), gram(b[layer]).flatten(1).tolist(), strict=True):
            squares = sum((p - q) ** 2 for p, q in zip(x, y, strict=True))
            expected += weight * squares / sum(q**2 for q in y) / 2
    assert style_loss(a, b, LAYERS).item() == pytest.approx(expected)


@given(seed=SEED)
def test_halves_of_a_batch_average_to_the_whole_when_each_has_its_own_target(seed: int) -> None:
    a, b = features(seed), features(seed + 9)
    halves = [
        style_loss(part(a, chosen), part(b, chosen), LAYERS) + content_loss(part(a, chosen), part(b, chosen), LAYERS)
        for chosen in (slice(0, 2), slice(2, 4))
    ]
    whole = style_loss(a, b, LAYERS) + content_loss(a, b, LAYERS)
    torch.testing.assert_close(whole, (halves[0] + halves[1]) / 2)


@given(seed=SEED)
def test_the_nearest_target_is_the_least_of_all_distances_on_one_scale(seed: int) -> None:
    a, b = features(seed), features(seed + 9)
    images, targets = ({layer: gram(tensors[layer]) for layer in LAYERS} for tensors in (a, b))
    scale = {layer: targets[layer].square().mean() for layer in LAYERS}
    naive = [
        min(
            sum(w * (images[k][i] - targets[k][j]).square().mean() / scale[k] for k, w in LAYERS.items())
            for j in range(len(targets[next(iter(LAYERS))]))
        )
        for i in range(len(images[next(iter(LAYERS))]))
    ]
    torch.testing.assert_close(style_loss(a, b, LAYERS, target="nearest"), sum(naive) / len(naive))
    shuffled = {layer: activations.flip(0) for layer, activations in b.items()}
    assert style_loss(b, shuffled, LAYERS, target="nearest") == 0


def test_a_black_target_among_others_does_not_blow_the_nearest_up() -> None:
    targets = {"one": torch.cat([torch.zeros(1, 2, 4, 4), torch.ones(3, 2, 4, 4)])}
    nearly_black = {"one": torch.full((4, 2, 4, 4), 0.1)}
    assert style_loss(nearly_black, targets, {"one": 1.0}, target="nearest") < 1


@given(seed=SEED)
def test_the_batch_mean_does_not_care_for_the_order_of_targets(seed: int) -> None:
    a, b = features(seed), features(seed + 9)
    shuffled = {layer: activations.flip(0) for layer, activations in b.items()}
    torch.testing.assert_close(
        style_loss(a, shuffled, LAYERS, target="batch_mean"), style_loss(a, b, LAYERS, target="batch_mean")
    )


@given(seed=SEED)
def test_the_distance_of_distributions_agrees_with_a_loop(seed: int) -> None:
    sets = [{layer: gram(tensors[layer]) for layer in LAYERS} for tensors in (features(seed, 3), features(seed + 9))]
    scale = {layer: sets[1][layer].square().mean() for layer in LAYERS}

    def mean(one: int, other: int) -> Tensor:
        found = [
            sum(w * (sets[one][k][i] - sets[other][k][j]).square().mean() / scale[k] for k, w in LAYERS.items()) ** 0.5
            for i in range(len(sets[one]["deep"]))
            for j in range(len(sets[other]["deep"]))
            if one != other or i != j
        ]
        return torch.stack(found).mean()

    loss = style_loss(features(seed, 3), features(seed + 9), LAYERS, target="distribution")
    torch.testing.assert_close(loss, 2 * mean(0, 1) - mean(0, 0) - mean(1, 1))


@given(seed=SEED)
def test_earlier_targets_count_like_those_of_the_batch(seed: int) -> None:
    """The mean over a batch's targets of the distance to a set of many is that of each of them, one after the other."""
    results, targets = features(seed), features(seed + 9, 6)
    statistics = style_statistics(targets, LAYERS)

    def loss(first: int, count: int) -> Tensor:
        others = [number for number in range(6) if not first <= number < first + count]
        now = {layer: activations[first : first + count] for layer, activations in targets.items()}
        earlier = {layer: matrices[others] for layer, matrices in statistics.items()}
        return style_loss(results, now, LAYERS, target="distribution", earlier=earlier)

    whole = style_loss(results, targets, LAYERS, target="distribution")
    torch.testing.assert_close(torch.stack([loss(first, 2) for first in (0, 2, 4)]).mean(), whole)
    torch.testing.assert_close(torch.stack([loss(first, 1) for first in range(6)]).mean(), whole)


def test_pictures_as_different_as_paintings_are_nearer_to_their_distribution_than_their_mean_is() -> None:
    targets, others = noise(0, 64, 1, 1, 1).abs(), noise(1, 64, 1, 1, 1).abs()
    layers, collapsed = {"one": 1.0}, targets.mean(0, keepdim=True).expand(64, -1, -1, -1)

    def loss(images: Tensor, target: str) -> float:
        return style_loss({"one": images}, {"one": targets}, layers, statistic=moments, target=target).item()

    assert loss(collapsed, "each") < loss(others, "each")
    assert loss(others, "distribution") < 0.05 < loss(collapsed, "distribution")


def test_one_image_alone_has_no_spread_and_a_finite_slope() -> None:
    images = {"one": torch.ones(1, 2, 2, 2, requires_grad=True)}
    loss = style_loss(images, {"one": torch.ones(1, 2, 2, 2)}, {"one": 1.0}, target="distribution")
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-4)
    assert images["one"].grad is not None
    assert images["one"].grad.isfinite().all()


def test_style_by_hand() -> None:
    # one channel, Gram 4 and targets 2 and 6: (4-2)^2/4 = 1 and (4-6)^2/36 = 1/9; the mean target 4 is met
    images = {"one": torch.full((2, 1, 1, 1), 2.0, dtype=torch.float64)}
    targets = {"one": torch.tensor([2.0, 6.0], dtype=torch.float64).sqrt().view(2, 1, 1, 1)}
    layers = {"one": 1.0}
    assert style_loss(images, targets, layers, target="each").item() == pytest.approx((1 + 1 / 9) / 2)
    assert style_loss(images, targets, layers, target="nearest").item() == pytest.approx(4 / 20)  # scale (4 + 36) / 2
    assert style_loss(images, targets, layers, target="batch_mean").item() == pytest.approx(0, abs=1e-12)
    # both results 4 are 2 from either target, which are 4 apart; a unit is the root of 20
    apart = style_loss(images, targets, layers, target="distribution").item()
    assert apart == pytest.approx((2 * 2 - 0 - 4) / 20**0.5, abs=1e-4)


def test_a_black_target_gives_no_infinite_loss() -> None:
    black = {"one": torch.zeros(1, 2, 2, 2)}
    gray = {"one": torch.full((1, 2, 2, 2), 0.1)}
    assert style_loss(gray, black, {"one": 1.0}).isfinite()


def test_an_unknown_target_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"unknown style target 'near'; did you mean 'nearest'\?"):
        style_loss(features(0), features(1), LAYERS, target="near")
