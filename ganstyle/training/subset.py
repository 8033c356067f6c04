"""The fixed pictures that a run is judged on while it goes on, taken from its problem."""

import torch

from ganstyle import __version__
from ganstyle.data.problem import Examples, Picture, Problem
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.protocol import Protocol
from ganstyle.metrics.sets import Bytes, References, Sources, as_bytes
from ganstyle.nn.blocks import drawing
from ganstyle.training.provenance import provenance
from ganstyle.training.system import System

RESIZE = "as validation frames a picture, middle square; intervals of set scores by window"


def sources_of(problem: Problem, count: int) -> Sources:
    """Take the first pictures of the validation set, and the known answers where there are any."""
    examples = [problem.val[number] for number in range(min(count, len(problem.val)))]
    side = _side(problem)
    truths = [example["truth"] for example in examples if "truth" in example]
    return Sources(
        f"{problem.card['name']}, val",
        tuple(f"{number:04d}" for number in range(len(examples))),
        _squares([example["source"] for example in examples], side),
        _squares(truths, side) if truths else None,
    )


def references_of(problem: Problem, count: int) -> References:
    """Take the targets of the run's first training images, cut and scaled as training sees them."""
    targets = [problem.train[number]["target"] for number in range(count)]
    pictures = _squares(targets, _side(problem))
    return References(f"targets of {problem.card['name']} as training sees them", pictures, torch.arange(count))


def targets_known(problem: Problem, count: int) -> int:
    """Say of how many pictures the first `count` targets of training can be windows."""
    counts = problem.card["counts"]
    return min(count, int(counts.get("target", counts.get("train", count))))


def protocol_of(
    system: System, problem: Problem, sources: Sources, references: References, network: FeatureNetwork, seed: int
) -> Protocol:
    """Say how the scores of a run are measured."""
    made = provenance()
    return Protocol(
        data=sources.name,
        sources=len(sources),
        reference=references.name,
        paintings=targets_known(problem, len(references.crops)),
        crops=len(references.crops),
        reference_sha256=references.sha256,
        size=sources.pictures.shape[-1],
        resize=RESIZE,
        features=network.name,
        features_sha256=network.sha256,
        weights="ema" if system.half_life > 0 else "live",
        dropout=_dropout(system),
        normalization="as in eval mode",
        seed=seed,
        commit=made["commit"] or f"ganstyle {__version__}",
        versions=tuple(made["versions"].items()),
    )


def _dropout(system: System) -> str:
    drawn = any(drawing(player.network) for player in system.players)
    return "active where the method keeps it at test, drawn from the seed and the picture's number" if drawn else "off"


def _side(problem: Problem) -> int:
    """The side on which sources and targets can be compared without scaling either."""
    return min(_short(problem.val), _short(problem.train))


def _short(examples: Examples) -> int:
    example = examples[0]
    return min(int(side) for key in ("source", "target") for side in example[key].shape[-2:])


def _squares(pictures: list[Picture], side: int) -> Bytes:
    """Cut the middle squares."""
    return torch.cat([as_bytes(_middle(picture, side)[None]) for picture in pictures])


def _middle(picture: Picture, side: int) -> Picture:
    height, width = picture.shape[-2:]
    top, left = (height - side) // 2, (width - side) // 2
    return picture[:, top : top + side, left : left + side]
