"""The end of a run: the artifact, the scores on held-out pictures, and a picture to look at."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from ganstyle.artifact import Metric
from ganstyle.data.problem import Examples, Problem
from ganstyle.errors import ArtifactError, TrainingError
from ganstyle.images import grid
from ganstyle.metrics.known_answer import Gain, measure_gain
from ganstyle.training.export import save_artifacts
from ganstyle.training.system import System
from ganstyle.types import Image

log = logging.getLogger(__name__)
ROWS = 6


def conclude(system: System, problem: Problem, card: Mapping[str, Any], folder: Path, seconds: float) -> None:
    """Write `artifact/`, `comparison.png` and `metrics.json`, and say where they are; the gain comes last."""
    first = next(iter(system.keepers.values())).cpu().eval()
    gain = known_gain(first, problem) if problem.card.get("known_answer") else None
    metrics = gain_metrics(gain, problem) if gain else []
    card = {**card, "training": card["training"] | {"images_seen": system.images_seen}}
    artifacts = _saved(system, folder, card, metrics)
    compare(first, problem.test, folder / "comparison.png")
    report = {
        "experiment": card["training"]["experiment"],
        "images_seen": system.images_seen,
        "seconds": round(seconds, 1),
        "validation": {name: score for name, score in system.scores.items() if _is_fresh(system, name)},
        "train": system.latest,
        "test": {metric.name: metric.value for metric in metrics},
        "protocol": {metric.name: metric.protocol for metric in metrics},
    }
    (folder / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    _tell(folder, artifacts, gain)


def _is_fresh(system: System, score: str) -> bool:
    """Say whether a score is of the weights that are kept: a run may end between two validations."""
    return system.scored.get(score, system.images_seen) == system.images_seen


def _saved(system: System, folder: Path, card: Mapping[str, Any], metrics: Sequence[Metric]) -> list[Path]:
    try:
        return save_artifacts(system.keepers, folder / "artifact", card, metrics)
    except ArtifactError as error:
        raise TrainingError(
            f"{error} All was trained and is in the last checkpoint: free some space where the disk is full, and "
            "resume=last writes it again."
        ) from error


def _tell(folder: Path, artifacts: Sequence[Path], gain: Gain | None) -> None:
    for path in artifacts:
        print(f"artifact  {path}")
    print(f"picture   {folder / 'comparison.png'}")
    print(f"metrics   {folder / 'metrics.json'}")
    if gain is not None:
        scores = {"model": gain.model, **gain.baselines}
        print("PSNR      " + ", ".join(f"{name} {value:.1f} dB" for name, value in scores.items()))
        print(f"gain {gain.gain:+.1f} dB", flush=True)


@torch.inference_mode()
def known_gain(generator: nn.Module, problem: Problem) -> Gain:
    """Translate the test set in full precision and measure the gain over answers that need no model.

    One picture at a time, as it is used: batch norm takes its statistics from what it is given.
    """
    batches = list(DataLoader(problem.test))  # type: ignore[arg-type]
    results = [generator(batch["source"]) for batch in batches]
    sources, truths = (torch.cat([batch[key] for batch in batches]) for key in ("source", "truth"))
    return measure_gain(sources, torch.cat(results), truths)


def gain_metrics(gain: Gain, problem: Problem) -> list[Metric]:
    """Word the gain and its parts as an artifact's card wants them, each with its protocol."""
    protocol = (
        f"PSNR against the known answer, mean over the {len(problem.test)} test scenes of {problem.card['name']}, "
        "one at a time, fp32"
    )
    scores = {"psnr": gain.model, "psnr_gain": gain.gain, **{f"psnr_{n}": v for n, v in gain.baselines.items()}}
    return [Metric(name, value, protocol) for name, value in scores.items()]


@torch.inference_mode()
def compare(generator: nn.Module, examples: Examples, path: Path) -> None:
    """Draw source, result and, where it is known, truth side by side for the first test pictures."""
    rows: list[list[Image]] = []
    for number in range(min(ROWS, len(examples))):
        example = examples[number]
        row = [example["source"], generator(example["source"][None])[0]]
        rows.append([*row, example["truth"]] if "truth" in example else row)
    grid(rows, path, ["source", "result", "truth"][: len(rows[0])])
