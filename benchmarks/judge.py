"""Judge the judge on toy scenes: `python -m benchmarks.judge --output benchmarks/results/judge.json`.

The toy world knows its painter, so what scores must say of him, and of those who only seem to paint, is known as well:
`benchmarks/relations.py` says it. Every relation has to hold by every score of its side, its 99 % interval clear of 0.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torchvision.transforms.functional import gaussian_blur

from benchmarks.record import machine
from benchmarks.relations import HEADLINES, RELATIONS, Relation
from ganstyle.data.toy import landscapes
from ganstyle.draws import generator_of
from ganstyle.metrics.assemble import headline_of
from ganstyle.metrics.evidence import CURVE
from ganstyle.metrics.features import feature_network
from ganstyle.metrics.headline import Headline, spread
from ganstyle.metrics.intervals import Interval, bootstrap_difference
from ganstyle.metrics.judge import Judge, joined, judge_through
from ganstyle.metrics.plane import Described, Halves, Measures, measure, place
from ganstyle.metrics.recolor import baseline_rows, mkl
from ganstyle.metrics.sets import Sources, as_bytes, as_images, stacked
from ganstyle.training.provenance import commit
from ganstyle.types import Image

SIDE, CHUNK, LEVEL = 96, 8, 0.99
NOISE = 0.2
"""Deviation of added noise, in the range [-1, 1]."""


class World(NamedTuple):
    """Scenes, their true paintings, and two sets of paintings of other scenes."""

    photographs: Image
    truth: Image
    collection: Image
    others: Image


class Finding(NamedTuple):
    """A relation by one score: how much better the row is, in the score's own unit."""

    relation: Relation
    score: str
    lead: Interval

    @property
    def holds(self) -> bool:
        """Whether the lead has the right sign, clear of zero."""
        return self.lead.low > 0 if self.relation.verb == "gains" else self.lead.high < 0


@dataclass(frozen=True)
class Verdicts:
    """All that was found."""

    findings: tuple[Finding, ...]
    headlines: Mapping[str, Headline]

    @property
    def broken(self) -> list[str]:
        """What should be so and is not."""
        wrong = [f"{found.relation} by {found.score}: {found.lead}" for found in self.findings if not found.holds]
        return wrong + [
            f"the headline of {row}: {found}"
            for row, found in self.headlines.items()
            if found.better is not HEADLINES[row]
        ]


def main() -> None:
    """Check every relation and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--draws", type=int, default=400, help="half samples for the intervals of set scores")
    parser.add_argument("--features", type=Path, help="a weights file; the embedded features without it")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    start = time.perf_counter()
    verdicts = judged(arguments.scenes, arguments.draws, arguments.seed, arguments.features)
    arguments.output.write_text(json.dumps(plain(verdicts, arguments, time.perf_counter() - start), indent=2) + "\n")
    print("\n".join(verdicts.broken) or f"all {len(verdicts.findings)} relations and {len(HEADLINES)} headlines hold")


def judged(scenes: int, draws: int, seed: int, features: Path | None = None) -> Verdicts:
    """Measure every row and every relation."""
    world = world_of(scenes)
    judge = judge_of(world, seed, features)
    rows = {name: described(judge, world.photographs, images) for name, images in rows_of(world, seed).items()}
    references = described(judge, world.collection, world.collection).descriptors
    halves = Halves.of(scenes, torch.arange(scenes), seed=seed, draws=draws)
    measures = measure(rows, references, judge.content, judge.style, halves)
    plane = place(measures.content, measures.style)
    findings = [found for relation in RELATIONS for found in findings_of(relation, rows, measures, seed)]
    return Verdicts(tuple(findings), {row: headline_of(row, plane, level=LEVEL) for row in HEADLINES})


def world_of(scenes: int) -> World:
    """Draw the toy world."""
    photographs, truth = landscapes("test", scenes, SIDE)
    collection, others = (landscapes(split, scenes, SIDE)[1] for split in ("train paintings", "val"))
    return World(*(as_images(stacked(list(pictures))) for pictures in (photographs, truth, collection, others)))


def judge_of(world: World, seed: int, features: Path | None) -> Judge:
    """Take every score of both sides."""
    sources = Sources("toy", tuple(map(str, range(len(world.photographs)))), as_bytes(world.photographs))
    return judge_through(feature_network(path=features), sources, seed=seed)


def rows_of(world: World, seed: int) -> dict[str, Image]:
    """Make the rows that relations and headlines speak of, and recoloring by growing strength, as 8-bit pictures."""
    photographs, truth, collection, others = world
    baselines = baseline_rows(photographs, collection, seed)
    foreign = others[:, [1, 2, 0]]
    chance = generator_of("coins", seed)
    heads = torch.rand(len(photographs), 1, 1, 1, generator=chance) < 0.5
    curve = {name: mkl(photographs, collection, strength) for name, strength in CURVE.items()}
    rows = (
        baselines
        | curve
        | {
            "truth": truth,
            "half strength": (photographs + truth) / 2,
            "blurred photographs": gaussian_blur(photographs, [13, 13], [2.0, 2.0]),
            "noisy photographs": noisy(photographs, seed),
            "shuffled photographs": photographs.roll(1, 0),
            "shuffled truth": truth.roll(1, 0),
            "noisy truth": noisy(truth, seed),
            "another painter": truth[:, [1, 2, 0]],
            "mkl to another collection": mkl(photographs, foreign),
            "mkl with noise": noisy(baselines["mkl"], seed),
            "one color": collection.mean((0, 2, 3), keepdim=True).expand_as(photographs),
            "pure noise": torch.rand(photographs.shape, generator=chance) * 2 - 1,
            "other paintings": others,
            "coin tossed between photograph and painting": torch.where(heads, photographs, others),
        }
    )
    return {name: as_images(as_bytes(images)) for name, images in rows.items()}


def noisy(images: Image, seed: int) -> Image:
    """Add noise."""
    return images + NOISE * torch.randn(images.shape, generator=generator_of("noise", seed))


def described(judge: Judge, photographs: Image, results: Image) -> Described:
    """Put a row into numbers, a few pictures at a time."""
    pairs = zip(torch.split(photographs, CHUNK), torch.split(results, CHUNK), strict=True)
    return joined([judge.describe(source, result) for source, result in pairs])


def findings_of(relation: Relation, rows: Mapping[str, Described], measures: Measures, seed: int) -> list[Finding]:
    """Measure how far one row leads another by every score of a side."""
    if relation.side == "content":
        own, other = rows[relation.row].scores, rows[relation.against].scores
        leads = {name: bootstrap_difference(own[name], other[name], seed, LEVEL) for name in measures.content}
    else:
        leads = {
            name: spread(draws[relation.against] - draws[relation.row], LEVEL) for name, draws in measures.style.items()
        }
    return [Finding(relation, name, lead) for name, lead in leads.items()]


def plain(verdicts: Verdicts, arguments: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Put what was found beside where it comes from."""
    network = feature_network(path=arguments.features)
    found: dict[str, Any] = {}
    for relation, score, lead in verdicts.findings:
        found.setdefault(str(relation), {})[score] = rounded(lead)
    return {
        "command": f"python -m benchmarks.judge --scenes {arguments.scenes} --draws {arguments.draws}"
        + (f" --features {arguments.features.name}" if arguments.features else ""),
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "minutes": round(seconds / 60, 1),
        "protocol": f"{arguments.scenes} toy scenes at {SIDE} px against as many paintings of other scenes; features "
        f"{network.name}, sha256 {network.sha256}; lead of the row: value, low, high of the {LEVEL:.0%} interval, by "
        f"bootstrap over scenes (content) or over {arguments.draws} half samples of both sets (style)",
        "broken": verdicts.broken,
        "relations": found,
        "headlines": {row: plain_headline(headline) for row, headline in verdicts.headlines.items()},
    }


def plain_headline(found: Headline) -> dict[str, Any]:
    """Where a row stands in the plane, and whether it is found better than recoloring."""
    numbers = {
        name: rounded(interval)
        for name, interval in (("gain", found.gain), ("content", found.content), ("style", found.style))
    }
    return {**numbers, "as_good": list(found.as_good), "better": found.better}


def rounded(interval: Interval) -> list[float]:
    """Four significant digits."""
    return [float(f"{number:.4g}") for number in interval]


if __name__ == "__main__":
    main()
