"""Keeps what training shows on the device, and brings it to the host when it is asked."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ganstyle.training.distributed import sum_over_ranks, world_size
from ganstyle.training.system import System
from ganstyle.training.watch.album import Album
from ganstyle.training.watch.ear import Ear
from ganstyle.training.watch.evidence import Evidence
from ganstyle.training.watch.held_out import HeldOut
from ganstyle.training.watch.limits import Limits
from ganstyle.training.watch.readings import Reading, Seen, pictures, read_gradient, read_pictures, read_weights
from ganstyle.training.watch.sketch import compared, nearest, sketch
from ganstyle.training.watch.summary import summary
from ganstyle.training.watch.verdict import Verdict
from ganstyle.training.watch.verdicts import judged
from ganstyle.training.witness import Heard
from ganstyle.types import Batch, Losses

MEMORY = 64
"""Looks that are remembered."""
HELD_OUT_EVERY = 2
"""Held-out pictures, which cost a pass of their own, are shown at every second look, the first one included."""


@runtime_checkable
class Keeper(Protocol):
    """Something whose state goes along with the watch's."""

    def state_dict(self) -> dict[str, Any]:
        """Return plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from them."""


class Monitor:
    """A witness that reads a step every so many batches.

    A reading that needs several batches (an open accumulation window, a player that moves seldom) waits for them.

    Args:
        system: what is watched.
        held_out: pictures that training never sees, or None.
        sample_every: batches between two readings.
        crowd: pictures of each kind that are compared with each other.
        known: training targets that generated pictures are compared with.
        limits: what evidence is compared with.
        keeps: what else goes into a checkpoint with the watch, by name.
    """

    def __init__(
        self,
        system: System,
        held_out: HeldOut | None,
        limits: Limits,
        *,
        sample_every: int,
        crowd: int,
        known: int,
        keeps: Mapping[str, Keeper] | None = None,
    ) -> None:
        self.system, self.held_out, self.limits, self.keeps = system, held_out, limits, dict(keeps or {})
        self.ear = Ear(system.method)
        self.sample_every, self.crowd = sample_every, crowd
        self.albums = {"target": Album(known), "generated": Album(crowd)}
        self.batches = self.looks = 0
        self.judges: list[str] = []
        self.seen: Seen | None = None
        self.sides: list[int] | None = None  # height and width of the pictures seen last
        self.history: list[Evidence] = []
        self.active: list[str] = []
        self.verdicts: list[dict[str, Any]] = []
        self._closed: list[Reading] = []
        self._open: Reading | None = None

    # What a step shows ------------------------------------------------------------------------------------------------

    def outputs(self, batch: Batch, outputs: Any) -> None:
        """Begin a reading where one is due, with the pictures."""
        self.batches += 1
        if self._open is not None or (self.batches - 1) % self.sample_every:
            return
        self.ear.open()
        self._open = {}
        self.seen = pictures(batch, outputs)
        self.sides = None if self.seen is None else list(self.seen.source.shape[2:])
        if self.seen is not None:
            self._open |= read_pictures(self.seen)
            for name, album in self.albums.items():
                album.add(sketch(getattr(self.seen, name)))

    def losses(self, player: str, losses: Losses) -> None:
        """Read a player's terms, and whether its losses hold a discriminator's judgement."""
        if self._open is None:
            return
        self._open |= {f"loss/{player}/{term}": loss.detach().float() for term, loss in losses.items()}
        if self.ear.judged() and player not in self.judges:
            self.judges.append(player)

    def gradients(self, player: str, parameters: Sequence[nn.Parameter]) -> None:
        """Read a player's gradient."""
        if self._open is not None:
            self._open |= read_gradient(player, parameters)

    def overhearing(self) -> AbstractContextManager[Heard]:
        """Collect what the discriminators say in a pass that is recorded."""
        return self.ear.overhearing()

    def hear(self, heard: Heard) -> None:
        """Hear it again, with this batch's values."""
        self.ear.hear(heard)

    def finished(self, images_seen: int) -> None:
        """Close the reading once every player has moved."""
        if self._open is None:
            return
        self._open |= self.ear.close()
        if all(f"gradient/{player.name}" in self._open for player in self.system.players):
            self._closed.append(self._open)
            self._open = None

    # What it comes to -------------------------------------------------------------------------------------------------

    def watch(self) -> list[Verdict]:
        """Look, and name what was not seen at the look before."""
        if (evidence := self.look()) is None:
            return []
        self.history = [*self.history, evidence][-MEMORY:]
        found = judged(self.history, self.limits)
        new = [verdict for verdict in found if verdict.name not in self.active]
        self.active = [verdict.name for verdict in found]
        return new

    def note(self, verdict: Verdict) -> Verdict:
        """Take down what another saw."""
        self.active = [*self.active, verdict.name]
        return verdict

    def look(self) -> Evidence | None:
        """Sum up the readings since the last look, over all ranks; None where there are none. The device waits here."""
        if not self._closed:
            return None
        readings = [*self._closed, self._compared()]
        self._closed = []
        self.looks += 1
        *numbers, compared_numbers = _on_host(readings)
        return summary(self.system.images_seen, numbers, compared_numbers)

    def _compared(self) -> Reading:
        """Read the weights, and compare the pictures seen lately with each other, and with held-out ones."""
        found: Reading = {}
        for player in self.system.players:
            found |= read_weights(player.name, list(player.network.parameters()))
        for name, album in self.albums.items():
            if (sketches := album.sketches(self.crowd)) is not None:
                found |= {f"{measure}/{name}": value for measure, value in compared(sketches).items()}
        return found | self._held_out()

    def _held_out(self) -> Reading:
        turn, later = divmod(self.looks, HELD_OUT_EVERY)
        if later or self.held_out is None or self.sides is None or (known := self.albums["target"].sketches()) is None:
            return {}
        height, width = self.sides
        look = self.held_out.look(self.system, self.ear, self.judges, turn, (height, width))
        distances = {"generated": nearest(look.generated, known), "held_out": nearest(look.targets, known)}
        said = {"logit/held_out": look.said["logit/real"]} if "logit/real" in look.said else {}
        return said | {f"nearest/{name}": distance.mean() for name, distance in distances.items()}

    # Going on ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return all that is remembered, on the CPU."""
        return {
            "batches": self.batches,
            "looks": self.looks,
            "judges": list(self.judges),
            "sides": self.sides,
            "albums": {name: album.state_dict() for name, album in self.albums.items()},
            "history": [evidence.plain() for evidence in self.history],
            "active": list(self.active),
            "verdicts": list(self.verdicts),
            "keeps": {name: keeper.state_dict() for name, keeper in self.keeps.items()},
            "closed": [_moved(reading, torch.device("cpu")) for reading in self._closed],
            "open": None if self._open is None else _moved(self._open, torch.device("cpu")),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the other left off; from a run that was not watched, begin."""
        if not state:
            return
        device = self.system.device
        self.batches, self.looks, self.judges = state["batches"], state["looks"], list(state["judges"])
        self.sides = state["sides"]
        self.history = [Evidence(**plain) for plain in state["history"]]
        self.active, self.verdicts = list(state["active"]), list(state["verdicts"])
        for name, keeper in self.keeps.items():
            keeper.load_state_dict(state["keeps"][name])
        for name, album in self.albums.items():
            album.load_state_dict(state["albums"][name], device)
        self._closed = [_moved(reading, device) for reading in state["closed"]]
        self._open = None if state["open"] is None else _moved(state["open"], device)


def _moved(reading: Reading, device: torch.device) -> Reading:
    return {name: value.to(device) for name, value in reading.items()}


def _on_host(readings: Sequence[Reading]) -> list[dict[str, float]]:
    """Bring the scalars of all readings over in one piece, averaged over the ranks."""
    values: list[Tensor] = [value.float() for reading in readings for value in reading.values()]
    device = values[0].device
    flat = sum_over_ranks(torch.stack([value.to(device) for value in values])) / world_size()
    numbers = iter(flat.tolist())
    return [{name: next(numbers) for name in reading} for reading in readings]
