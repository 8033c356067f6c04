"""Names what goes wrong in a run, and acts on it where the configuration says so."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer

from ganstyle.errors import ConfigError
from ganstyle.images import grid
from ganstyle.training import checkpoint, latest
from ganstyle.training.callbacks.checkpoints import Checkpoints
from ganstyle.training.collapse import CollapseError, NonFiniteError
from ganstyle.training.distributed import barrier, rank
from ganstyle.training.loggers import log_metrics, log_picture
from ganstyle.training.watch.held_out import HeldOut
from ganstyle.training.watch.limits import Limits
from ganstyle.training.watch.monitor import Monitor
from ganstyle.training.watch.refuge import Refuge
from ganstyle.training.watch.verdict import Verdict
from ganstyle.training.watch.verdicts import NAMES, broken
from ganstyle.values import number, one_of, whole

log = logging.getLogger(__name__)
FILE, FOLDER = "health.json", "health"
ACTIONS = ("warn", "stop", "roll_back")
MOST_ROLLBACKS = 2
ROWS = 4


class Health(Callback):
    """Watches the losses, gradients, judgements and pictures of a run; see docs/guides/watch.md.

    Every verdict goes to the log, the loggers (with a picture) and `health.json` in the run's folder.

    Args:
        every: batches between two looks, when readings come to the host.
        sample_every: batches between two readings.
        crowd: pictures of each kind that are compared with each other.
        known: training targets that generated pictures are compared with.
        held_out: validation pictures that are shown to the networks, a batch at every second look; 0 shows none.
        on_collapse: warn goes on; stop ends the run; roll_back goes on from the last healthy state with lower learning
            rates, at most twice, then stops.
        collapses: the verdicts that are acted on; a loss that is no number always ends the run or rolls it back.
        slower: factor of the learning rates at a rollback.
        limits: what evidence is compared with.
    """

    def __init__(
        self,
        *,
        every: int,
        sample_every: int,
        crowd: int,
        known: int,
        held_out: int,
        on_collapse: str,
        collapses: Sequence[str],
        slower: float,
        limits: Limits,
    ) -> None:
        one_of("callbacks.health.on_collapse", on_collapse, ACTIONS)
        for name in collapses:
            one_of("callbacks.health.collapses", name, NAMES)
        self.every = whole("callbacks.health.every", every, least=1)
        self.sample_every = whole("callbacks.health.sample_every", sample_every, least=1)
        self.crowd = whole("callbacks.health.crowd", crowd, least=2)
        self.known = whole("callbacks.health.known", known, least=crowd)
        self.held_out = whole("callbacks.health.held_out", held_out, least=0)
        self.slower = number("callbacks.health.slower", slower, least=0, most=1)
        self.on_collapse, self.collapses, self.limits = on_collapse, tuple(collapses), limits
        self.checkpoints: Checkpoints | None = None
        self._monitor: Monitor | None = None
        self._ends = False

    def begin(self, checkpoints: Checkpoints | None) -> None:
        """Take the callback that knows all that a state consists of.

        Raises:
            ConfigError: there is none, but the run should be rolled back when it collapses.
        """
        if checkpoints is None and self.on_collapse == "roll_back":
            raise ConfigError("callbacks.health.on_collapse=roll_back needs callbacks.checkpoints to go back to.")
        self.checkpoints = checkpoints

    # The run ---------------------------------------------------------------------------------------------------------

    def setup(self, trainer: Trainer, system: Any, stage: str) -> None:
        """Begin to watch, before a state is put back; after a rollback the watch goes on."""
        self.folder = Path(trainer.default_root_dir)
        if self._monitor is None:
            loaders = trainer.datamodule  # type: ignore[attr-defined]
            shown = HeldOut(loaders.problem.val, self.held_out, loaders.batch_size) if self.held_out else None
            sizes = {"sample_every": self.sample_every, "crowd": self.crowd, "known": self.known}
            self.refuge = Refuge(self.folder / "checkpoints", stride=self._stride, probation=self._probation)
            self._monitor = Monitor(system, shown, self.limits, **sizes, keeps={"refuge": self.refuge})
        system.witness = self._monitor

    @property
    def monitor(self) -> Monitor:
        """The watch itself, once the run is set up."""
        assert self._monitor is not None
        return self._monitor

    @property
    def _probation(self) -> int:
        """Looks after which a collapse would have been named."""
        return 2 * self.limits.patience

    @property
    def _stride(self) -> int:
        return 4 * self._probation

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Say in `health.json` that somebody watches, and keep the very first state where it may be needed."""
        self._ends = False
        self._write(system)
        self._keep(system)

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Look when it is due, and at the end.

        Raises:
            CollapseError: something was seen that ends the run, or rolls it back.
        """
        if self.monitor.batches % self.every and system.images_seen < system.total_images:
            return
        verdicts = self.monitor.watch()
        if self.monitor.history:
            log_metrics(trainer, system.images_seen, self.monitor.history[-1].curves())
        for verdict in verdicts:
            self._tell(trainer, system, verdict)
        self._keep(system)
        if ending := [verdict for verdict in verdicts if self._is_end(verdict)]:
            raise CollapseError(f"the watch saw {ending[0].told()} The evidence is in {self.folder / FILE}.")

    def on_exception(self, trainer: Trainer, system: Any, exception: BaseException) -> None:
        """Write down a loss or weight that is no number, before the run ends or is rolled back."""
        if isinstance(exception, NonFiniteError) and self._monitor is not None:
            self._tell(trainer, system, self.monitor.note(broken(system.images_seen, exception)))
        self._ends = isinstance(exception, NonFiniteError | CollapseError)

    def _is_end(self, verdict: Verdict) -> bool:
        acts = self.on_collapse != "warn" and verdict.name in self.collapses
        return acts or verdict.name == "non-finite"

    def _action(self, system: Any, verdict: Verdict) -> str:
        """Say what is done about a verdict."""
        if not self._is_end(verdict):
            return "warned"
        return f"rolled back, learning rates x {self.slower:g}" if self._may_go_back(system) else "stopped"

    # What is kept ----------------------------------------------------------------------------------------------------

    def _keep(self, system: Any) -> None:
        """Keep the state where it may be needed and nothing bad is seen."""
        if self.on_collapse == "roll_back" and system.between_turns:
            self.refuge.visit(self.monitor.looks, not self.monitor.active, lambda path: self._save(system, path))

    def _save(self, system: Any, path: Path) -> None:
        assert self.checkpoints is not None  # see `begin`
        state = self.checkpoints.captured(system)
        if rank() == 0:
            checkpoint.save(state, path)
            self.refuge.tidy()
        barrier()

    def _may_go_back(self, system: Any) -> bool:
        there = self.refuge.proved is not None and self.on_collapse == "roll_back"
        return there and system.rollbacks < MOST_ROLLBACKS

    def rolled_back(self, system: Any) -> dict[str, Any] | None:
        """Return the last healthy state with lower learning rates, written as `last.ckpt` too.

        None where there is no collapse, or nothing left to be done about it.
        """
        if not self._ends or not self._may_go_back(system):
            return None
        state = checkpoint.load(self.refuge.go_back())
        state |= {"rollbacks": system.rollbacks + 1, "slowdown": system.slowdown * self.slower}
        for own in state["ranks"]:
            own["witness"] |= {"verdicts": self.monitor.verdicts, "keeps": {"refuge": self.refuge.state_dict()}}
        if rank() == 0:
            latest.advance(state, self.folder / "checkpoints")
            latest.forget_previous(self.folder / "checkpoints")
            log.warning("rolled back to %d images with learning rates x %g.", state["images_seen"], state["slowdown"])
        return state

    # What is told ----------------------------------------------------------------------------------------------------

    def _tell(self, trainer: Trainer, system: Any, verdict: Verdict) -> None:
        """Send a verdict to the log, the loggers and the run's folder."""
        action = self._action(system, verdict)
        seen = self.monitor.seen
        picture = None if seen is None else f"{FOLDER}/{verdict.images_seen:09d}_{verdict.name}.png"
        self.monitor.verdicts.append(verdict.plain() | {"action": action, "pictures": picture})
        log_metrics(trainer, system.images_seen, {f"health/{verdict.name}": 1.0})
        if not trainer.is_global_zero:
            return
        log.warning("the watch saw %s", verdict.told())
        if seen is not None and picture is not None:
            rows = [list(images[:ROWS].cpu()) for images in seen]
            grid(list(zip(*rows, strict=True)), self.folder / picture, list(seen._fields))
            log_picture(trainer, system.images_seen, f"health/{verdict.name}", self.folder / picture)
        self._write(system)

    def _write(self, system: Any) -> None:
        """Write all verdicts of the run, and what was done about them."""
        told = {
            "verdicts": self.monitor.verdicts,
            "rollbacks": system.rollbacks,
            "learning_rate_factor": system.slowdown,
        }
        if rank() == 0:
            (self.folder / FILE).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
