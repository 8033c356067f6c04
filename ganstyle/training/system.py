"""The one LightningModule: how players take turns, and nothing about papers."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from ganstyle.errors import ConfigError
from ganstyle.methods.base import Method, Player
from ganstyle.training import average
from ganstyle.training.distributed import averaging, world_size
from ganstyle.training.journal import Journal
from ganstyle.training.passes import Eager, Passes, parameters_of
from ganstyle.training.schedule import check_decay, constant_then_linear
from ganstyle.training.weights import check_lazy, check_networks, check_players, checked_weights
from ganstyle.training.witness import Nobody, Witness
from ganstyle.types import Batch, Image, Losses
from ganstyle.values import number, whole

OptimizerFactory = Callable[[list[nn.Parameter]], Optimizer]
LEAST_CLIP = 1e-8
"""At 0 nothing would be learned; null does not clip."""


class System(LightningModule):
    """Trains any method: runs it forward once per batch and lets every player move on what it saw.

    Args:
        method: the networks and what each player minimises.
        optimizers: for each player, parameters -> optimizer.
        weights: for each player, a weight for each of its terms.
        total_images: images of the whole run, over all ranks; the learning rate reaches zero there.
        epoch_images: images of one epoch; an accumulation window never spans two epochs.
        lazy: penalty -> computed on every n-th turn only, with n times its weight (Karras et al. 2020).
        decay_from: share of the run after which the learning rate falls.
        ema: half-life of the averaged generators in images; 0 keeps the live weights.
        accumulate: batches whose gradients are averaged before a player moves; in the last of them a later player
            meets the earlier one after its move.
        clip: greatest norm of a player's gradient; null for no clipping.
    """

    def __init__(
        self,
        method: Method[Any],
        optimizers: Mapping[str, OptimizerFactory],
        weights: Mapping[str, Mapping[str, object]],
        *,
        total_images: int,
        epoch_images: int,
        lazy: Mapping[str, int] | None = None,
        decay_from: int | float = 0.5,
        ema: int | float = 10_000,
        accumulate: int = 1,
        clip: int | float | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.method = method
        self.players = tuple(method.players)
        self.weights = checked_weights(self.players, weights)
        check_players("system.optimizers", self.players, optimizers)
        check_lazy(self.players, lazy or {})
        self.factories, self.lazy = optimizers, dict(lazy or {})
        for name, factory in optimizers.items():
            _check_factory(name, factory)
        self.total_images, self.epoch_images = total_images, epoch_images
        self.decay_from, self.half_life = check_decay(decay_from), number("system.ema", ema, least=0)
        self.accumulate = whole("system.accumulate", accumulate, least=1)
        self.clip = None if clip is None else number("system.clip", clip, least=LEAST_CLIP)
        check_networks(method.generators)
        kept = method.generators if self.half_life > 0 else {}
        self.averages = nn.ModuleDict({name: copy.deepcopy(generator) for name, generator in kept.items()})
        self.averages.requires_grad_(False).eval()
        self.journal = Journal()
        self.images_seen = self.images_before = self.images_gathered = self.turns = self.gathered = 0
        self.latest: dict[str, float] = {}
        self.scores: dict[str, float] = {}
        self.scored: dict[str, int] = {}  # score -> images seen when it was measured
        self.witness: Witness = Nobody()
        self.passes: Passes = Eager()
        self.rollbacks, self.slowdown = 0, 1.0  # of the run so far; the factor of its learning rates

    # One batch -------------------------------------------------------------------------------------------------------

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Run the method forward once, then let every player move on what it saw."""
        with self.passes.around():
            self._train_on(batch)

    def _train_on(self, batch: Batch) -> None:
        outputs = self._remember(self.passes.forward(self, batch))
        self._count(len(batch["source"]) * world_size())
        self.witness.outputs(batch, outputs)
        for player, optimizer in self._turns():
            with self._averaging(optimizer):
                losses = self.passes.gradients(self, player, optimizer, outputs)
            self.witness.losses(player.name, losses)
            if self.between_turns:
                self._step(player, optimizer)
            self.journal.add({f"train/{player.name}/{term}": loss for term, loss in losses.items()})
        if self.between_turns:
            self._end_turn()
        self.witness.finished(self.images_seen)
        if self.device.type == "cpu" and world_size() == 1:  # reading a loss costs nothing here; elsewhere: when logged
            self.journal.check()

    def _remember(self, outputs: Any) -> Any:
        shown = {field: pool.exchange(getattr(outputs, field)) for field, pool in self.method.pools.items()}
        return self.passes.shown(outputs, shown)

    def _count(self, images: int) -> None:
        self.images_before, self.images_seen = self.images_seen, self.images_seen + images
        self.gathered += 1
        self.images_gathered += images

    @property
    def between_turns(self) -> bool:
        """Whether this batch completes an accumulation window: only then do players move and checkpoints hold."""
        return self.gathered in (0, self.accumulate) or self.crossed(self.epoch_images)

    def _turns(self) -> Iterator[tuple[Player, Optimizer]]:
        for player, optimizer in zip(self.players, self.raw_optimizers, strict=True):
            if self.turns % player.every == 0:
                yield player, optimizer

    def _losses(self, player: Player, outputs: Any) -> Losses:
        losses = dict(player.losses(outputs))
        for name, penalty in player.penalties.items():
            if self.turns % self.lazy.get(name, 1) == 0:
                losses[name] = penalty(outputs)
        return losses

    def _weights(self, player: Player) -> dict[str, float]:
        return {name: weight * self.lazy.get(name, 1) for name, weight in self.weights[player.name].items()}

    def _averaging(self, optimizer: Optimizer) -> AbstractContextManager[None]:
        """Average a player's gradients over the ranks, in the last batch of an accumulation window."""
        if not self.between_turns:
            return nullcontext()
        return averaging(parameters_of(optimizer), meanwhile=self.passes.tells)

    def _step(self, player: Player, optimizer: Optimizer) -> None:
        parameters = parameters_of(optimizer)
        if self.gathered > 1:
            torch._foreach_div_([p.grad for p in parameters if p.grad is not None], float(self.gathered))
        self.witness.gradients(player.name, parameters)
        if self.clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.clip)
        optimizer.step()
        optimizer.zero_grad()

    def _end_turn(self) -> None:
        keep = average.decay(self.images_gathered, self.images_seen, self.half_life)
        for name, mean in self.averages.items():
            average.update(mean, self.method.generators[name], keep)
        self.turns += 1
        self.gathered = self.images_gathered = 0
        self._set_learning_rates()

    # The run ---------------------------------------------------------------------------------------------------------

    def configure_optimizers(self) -> list[Optimizer]:
        """Build one optimizer per player, in the players' order."""
        trainable = [[p for p in player.network.parameters() if p.requires_grad] for player in self.players]
        return [self.factories[p.name](own) for p, own in zip(self.players, trainable, strict=True)]

    @property
    def raw_optimizers(self) -> list[Optimizer]:
        """The players' optimizers without Lightning's wrapper."""
        found = self.optimizers(use_pl_optimizer=False)
        return found if isinstance(found, list) else [found]

    def _set_learning_rates(self) -> None:
        factor = self.slowdown * constant_then_linear(self.images_seen, self.total_images, self.decay_from)
        for optimizer in self.raw_optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor

    def on_train_start(self) -> None:
        """Start from the learning rate that belongs to the images seen."""
        self.passes.forget()
        self._set_learning_rates()

    def crossed(self, every: int) -> bool:
        """Whether the last batch reached or passed a multiple of `every` images, or the end of the run."""
        return self.images_seen // every > self.images_before // every or self.images_seen >= self.total_images

    # Looking ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def looking(self, *, live: bool = False) -> Iterator[None]:
        """Judge in eval mode with averaged (or live) generators, leaving weights, modes and random numbers alone."""
        devices = [self.device] if self.device.type == "cuda" else []
        weights: AbstractContextManager[None] = nullcontext() if live else self._averaged()
        with torch.random.fork_rng(devices), weights, torch.no_grad():
            self.method.eval()
            try:
                with self.trainer.precision_plugin.val_step_context():
                    yield
            finally:
                self.method.train()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        live = nn.ModuleDict({name: self.method.generators[name] for name in self.averages})
        with average.swapped(live, self.averages):
            yield

    def judge(self, batch: Batch) -> tuple[Any, dict[str, Tensor]]:
        """Return a batch's outputs and every player's terms, without penalties; call it while `looking`."""
        outputs = self.method(batch)
        terms = {(p.name, term): loss for p in self.players for term, loss in p.losses(outputs).items()}
        return outputs, {f"val/{player}/{term}": loss for (player, term), loss in terms.items()}

    def take_scores(self, scores: Mapping[str, float]) -> None:
        """Keep scores of the weights as they are now, beside those of other names."""
        self.scores = {**self.scores, **scores}
        self.scored |= dict.fromkeys(scores, self.images_seen)

    def translate(self, source: Image) -> Image:
        """Run the generator from source to target, the method's first."""
        first: nn.Module = next(iter(self.method.generators.values()))
        result: Image = first(source)
        return result

    @property
    def keepers(self) -> Mapping[str, nn.Module]:
        """The generators a user keeps: averaged where there is an average."""
        return dict(self.averages.items()) if self.half_life > 0 else self.method.generators


def _check_factory(player: str, factory: OptimizerFactory) -> None:
    """Build an optimizer for nothing, so that a wrong learning rate is told before a run begins."""
    try:
        factory([nn.Parameter(torch.zeros(1))])
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"system.optimizers.{player} makes no optimizer: {error}.") from error
