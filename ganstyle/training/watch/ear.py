"""What the discriminators say, overheard in the game that every method plays."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganstyle.losses.adversarial import Game
from ganstyle.methods.base import Method

BOUNDARY = {"lsgan": 0.5}
"""The logit between fake and real; 0 in every other game."""
Loss = Callable[[Tensor], Tensor]


class Ear:
    """Listens to the losses of a method's game, to which every discriminator's logits come at every scale.

    Names: `real` and `fake` (shares of logits on the right side), `surprise` (loss over that of a guess), `logit/real`
    and `logit/fake` (means). Of a Wasserstein critic, whose logits have no boundary, there are the means alone; a
    method without a `game` is not heard.
    """

    def __init__(self, method: Method[Any]) -> None:
        self._heard: dict[str, list[Tensor]] = {}
        self._open = self._judged = False
        game = getattr(method, "game", None)
        if isinstance(game, Game):
            method.game = self._overheard(game)  # type: ignore[assignment]

    def _overheard(self, game: Game) -> Game:
        boundary = BOUNDARY.get(game.name, 0.0)
        decides = game.penalty is None
        real = self._listening("real", game.of_real, boundary, decides)
        fake = self._listening("fake", game.of_fake, boundary, decides)
        return replace(game, of_real=real, of_fake=fake)

    def _listening(self, side: str, loss: Loss, boundary: float, decides: bool) -> Loss:
        def heard(logits: Tensor) -> Tensor:
            losses = loss(logits)
            if self._open:
                self._judged = True
                with torch.no_grad():
                    self._note(f"logit/{side}", logits)
                    if decides:
                        right = logits > boundary if side == "real" else logits <= boundary
                        self._note(side, right)
                        self._note("surprise", losses / loss(torch.full_like(losses[:1], boundary)).mean())
            return losses

        return heard

    def _note(self, name: str, values: Tensor) -> None:
        self._heard.setdefault(name, []).append(values.detach().float().mean())

    def open(self) -> None:
        """Listen from now on."""
        self._open = True

    def judged(self) -> bool:
        """Say whether anything was heard since this was asked last."""
        judged, self._judged = self._judged, False
        return judged

    @contextmanager
    def overhearing(self) -> Iterator[dict[str, list[Tensor]]]:
        """Listen for a while on the side; nothing of it counts as heard."""
        before = self._heard, self._open, self._judged
        self._heard, self._open = {}, True
        try:
            yield self._heard
        finally:
            self._heard, self._open, self._judged = before

    def hear(self, heard: Mapping[str, Sequence[Tensor]]) -> None:
        """Take what was overheard for heard."""
        if self._open and heard:
            self._judged = True
            for name, values in heard.items():
                self._heard.setdefault(name, []).extend(values)

    def close(self) -> dict[str, Tensor]:
        """Stop listening, and return the mean of what was heard, on the device, by name."""
        heard, self._heard, self._open = self._heard, {}, False
        self._judged = False
        return {name: torch.stack(values).mean() for name, values in heard.items()}
