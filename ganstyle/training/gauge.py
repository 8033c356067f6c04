"""Judging a run's generator on fixed pictures, shared out among the ranks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from ganstyle.data.problem import Problem
from ganstyle.draws import seed_of
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.judge import Judge, joined, judge_through
from ganstyle.metrics.plane import Described
from ganstyle.metrics.protocol import Protocol
from ganstyle.metrics.sets import References, Sources, as_bytes, as_images
from ganstyle.metrics.trained import trained_scores
from ganstyle.metrics.yardstick import Yardstick, score_names
from ganstyle.training.distributed import gather, rank, world_size
from ganstyle.training.subset import protocol_of, references_of, sources_of
from ganstyle.training.system import System

ROWS = 4
"""Baselines, which are described once, with the first evaluation."""
Scores = Mapping[str, Interval]


def names_of(problem: Problem, network: FeatureNetwork, seed: int) -> list[str]:
    """Name the scores that a gauge gives on a problem; raises ShapeError where its pictures are too small for one."""
    sources = sources_of(problem, 1)
    judge = judge_through(network, sources, seed=seed)
    photograph = as_images(sources.pictures)
    judge.describe(photograph, photograph)
    return score_names(judge)


@dataclass
class Gauge:
    """Fixed pictures, what they are judged by, and how."""

    sources: Sources
    references: References
    judge: Judge
    protocol: Protocol
    trained_with: frozenset[str]
    """Scores that the run's objective is made of, as far as the features may be the same."""
    draws: int
    """Half samples on which the intervals rest."""
    _yardstick: Yardstick | None = field(default=None, init=False)
    """Of the first rank only, made when it is first asked for."""

    @classmethod
    def of(
        cls,
        system: System,
        problem: Problem,
        network: FeatureNetwork,
        counts: tuple[int, int],
        *,
        draws: int,
        seed: int,
    ) -> "Gauge":
        """Take the pictures out of a run's problem.

        Args:
            system: whose generator will be judged.
            problem: where the pictures come from.
            network: what style and self-similarity are seen through.
            counts: of sources and of references.
            draws: half samples on which the intervals rest.
            seed: of copied pictures, projections, half samples and dropout.
        """
        sources, references = sources_of(problem, counts[0]), references_of(problem, counts[1])
        protocol = protocol_of(system, problem, sources, references, network, seed)
        trained_with = trained_scores(system.weights, same_features=True)
        return cls(sources, references, judge_through(network, sources, seed=seed), protocol, trained_with, draws)

    def estimate(self, clock: Callable[[], float]) -> float:
        """Foretell the seconds of the first evaluation from those of one picture."""
        photograph = as_images(self.sources.pictures[:1])
        entered = clock()
        self.judge.describe(photograph, photograph)
        return (clock() - entered) * ((ROWS + 2) * len(self.sources) + len(self.references.crops))

    def evaluate(self, system: System) -> Scores:
        """Judge the generator: every rank restyles its share, the first one measures, all get the result."""
        with system.looking():
            mine = [self._described(system, place) for place in range(rank(), len(self.sources), world_size())]
        shares = gather(mine)
        turns = range(len(shares[0]))
        described = [share[turn] for turn in turns for share in shares if turn < len(share)]
        found = self._read(joined(described)) if rank() == 0 else {}
        first: Scores = gather(found)[0]
        return first

    def _described(self, system: System, place: int) -> Described:
        """Restyle one photograph and put the result into numbers, on the CPU; dropout draws by its place."""
        torch.manual_seed(seed_of("restyle", self.protocol.seed, place))
        photograph = as_images(self.sources.pictures[place : place + 1])
        result = as_images(as_bytes(system.translate(photograph.to(system.device))))
        truth = None if self.sources.truth is None else as_images(self.sources.truth[place : place + 1])
        with torch.autocast(system.device.type, enabled=False):
            return self.judge.describe(photograph, result, truth)

    def _read(self, method: Described) -> Scores:
        if self._yardstick is None:
            self._yardstick = Yardstick.of(
                self.sources,
                self.references,
                self.judge,
                trained_with=self.trained_with,
                seed=self.protocol.seed,
                draws=self.draws,
            )
        return self._yardstick.read(method)
