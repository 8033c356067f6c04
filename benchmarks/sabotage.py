"""Ways to spoil a game of `toy_game`, each a small change to what was built."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.toy_game import SIDE, Game
from ganstyle.training.watch.sketch import sketch

Sabotage = Callable[[Game], None]


def nothing(game: Game) -> None:
    """Leave the game as it is."""


def colorblind_to_place(game: Game) -> None:
    """Let every generator paint its picture's mean color only."""
    for generator in game.generators:
        generator.register_forward_hook(lambda _module, _given, image: image.mean((2, 3), keepdim=True) + 0 * image)


def saturated(game: Game) -> None:
    """Start from a last layer so large that tanh is flat: white, and no gradient comes through."""
    for generator in game.generators:
        *_, last = (m for m in generator.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
        assert last.bias is not None
        nn.init.constant_(last.bias, 20.0)


def blind(game: Game) -> None:
    """Show every generator the same noise in the place of its source."""
    noise = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for generator in game.generators:
        generator.register_forward_pre_hook(lambda _module, given: (noise.expand_as(given[0]), *given[1:]))


def idle(game: Game) -> None:
    """Let every generator return its source, but for what a hundredth of its own picture adds."""
    for generator in game.generators:
        generator.register_forward_hook(lambda _module, given, image: given[0] + 0.01 * image)


def enlarged(player: str, factor: float) -> Sabotage:
    """Start a player from weights that are many times as large."""

    def sabotage(game: Game) -> None:
        with torch.no_grad():
            for parameter in game.network(player).parameters():
                parameter.mul_(factor)

    return sabotage


def cut_off(player: str) -> Sabotage:
    """Let next to nothing of a player's gradient through."""

    def sabotage(game: Game) -> None:
        for parameter in game.network(player).parameters():
            parameter.register_hook(lambda gradient: gradient * 1e-12)  # type: ignore[no-untyped-call]

    return sabotage


def broken_from(images: int) -> Sabotage:
    """Turn a weight of the generator into no number once so many images were seen."""

    def sabotage(game: Game) -> None:
        def breaking(module: nn.Module, _given: Any) -> None:
            if game.system.images_seen >= images:
                nn.init.constant_(next(module.parameters()), float("nan"))
                handle.remove()  # a second change within a step would be the backward pass's own error

        handle = game.generators[0].register_forward_pre_hook(breaking)

    return sabotage


def heavier_from(images: int, player: str, factor: float) -> Sabotage:
    """Weigh all terms of a player many times as much once so many images were seen, as a wrong schedule would."""

    def sabotage(game: Game) -> None:
        weights = game.system.weights[player]

        def weighing(_module: nn.Module, _given: Any) -> None:
            if game.system.images_seen >= images:
                weights.update({term: weight * factor for term, weight in weights.items()})
                handle.remove()

        handle = game.generators[0].register_forward_pre_hook(weighing)

    return sabotage


def by_heart(game: Game) -> None:
    """Answer every source with a training target: the one that belongs to the nearest training source."""
    train = game.problem.train
    examples = [train[number] for number in range(len(train))]
    targets = torch.stack([example["target"] for example in examples])
    keys = sketch(torch.stack([example["source"] for example in examples]))

    def recall(_module: nn.Module, given: Any, image: torch.Tensor) -> torch.Tensor:
        nearest = torch.cdist(sketch(given[0]), keys).argmin(1)
        return targets[nearest] + 0.01 * image

    game.generators[0].register_forward_hook(recall)
