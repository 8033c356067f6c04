"""Teach a student: from a trained artifact and photographs to a smaller artifact."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from torch import nn

from ganstyle import artifact as artifacts
from ganstyle.errors import ConfigError, TrainingError
from ganstyle.methods.distill import channels_of
from ganstyle.nn.norms import without_norms
from ganstyle.training.composed import composed, in_one_sentence
from ganstyle.training.folder import CONFIG
from ganstyle.training.run import run

CHOICES = {"method": "distill", "generator": "light", "data": "photographs", "trainer": "small"}
"""Options of conf/ that a lesson takes unless it is told otherwise."""
OWN = {
    "name": "--output",
    "generator": "--target",
    "data.folder": "--data",
    "trainer.max_images": "--images",
    "resume": "--resume",
    "system.method.teacher": "ARTIFACT",
}
"""What a lesson itself decides about, by the word of `ganstyle compress` that says it."""
LOOKS = 4
"""How often the student is looked at in validation."""
CLIP = 1.0
"""Greatest gradient norm of a student without norms, which falls into saturation otherwise; system.clip goes before."""
LIGHT = "ganstyle.nn.light.Light"
FURTHER = "ganstyle.interop.start.generator"
"""Functions that a configuration names: a student with random weights, and one to go on from."""


@dataclass(frozen=True)
class Lesson:
    """One training of a student."""

    teacher: Path
    """Folder of an artifact."""
    photographs: Path
    """Folder to learn on."""
    folder: Path
    """Of the run."""
    student: Mapping[str, Any] | Path
    """Arguments of a Light that begins with random weights, or the folder of an artifact that goes on learning."""
    images: int
    pace: float = 1.0
    """Factor of the learning rate."""
    overrides: tuple[str, ...] = ()
    """Of the configuration, as train.py takes them."""
    resume: bool = False


def teacher(artifact: str | None) -> nn.Module:
    """Load the network that a configuration names as teacher. Raises ConfigError where it names none."""
    if artifact is None:
        raise ConfigError("distillation needs a teacher; give system.method.teacher.artifact=FOLDER of a trained one.")
    return artifacts.load(artifact).network


def taught(lesson: Lesson) -> Path:
    """Train a student, and return the folder of its artifact.

    Raises:
        ConfigError: an override that does not fit, in one sentence.
        TrainingError: a signal ended the lesson early.
    """
    config = configured(lesson)
    with in_one_sentence():
        outcome = run(config, lesson.folder, chosen(lesson))
    if outcome.signal:
        raise TrainingError(f"the lesson in {lesson.folder} was interrupted; --resume goes on with it.")
    return lesson.folder / "artifact"


def configured(lesson: Lesson) -> DictConfig:
    """Compose the configuration of a lesson. Raises ConfigError for an override that does not fit or has no say."""
    changed = {override.lstrip("+~").partition("=")[0] for override in lesson.overrides}
    _refuse_own(changed)
    config = cast(dict[str, Any], OmegaConf.to_container(composed(chosen(lesson))))
    network = artifacts.load(lesson.teacher).network
    config |= {"name": lesson.folder.name, "generator": _student(lesson)}
    config["resume"] = str(lesson.folder) if lesson.resume and has_begun(lesson.folder) else None
    config["data"] |= {"folder": str(lesson.photographs)}
    config["data"] |= {side: _side(config["data"][side], network) for side in ("crop", "view")}
    config["trainer"] |= {"max_images": lesson.images}
    if not changed & {"trainer", "trainer.accelerator"}:
        config["trainer"]["accelerator"] = "auto"
    config["system"]["method"]["teacher"]["artifact"] = str(lesson.teacher)
    config["system"]["optimizers"]["generator"]["lr"] *= lesson.pace
    if without_norms(network) and config["system"]["clip"] is None:
        config["system"]["clip"] = CLIP
    if not channels_of(network):
        config["system"]["weights"]["generator"].pop("features", None)
    for name in ("validation", "samples", "checkpoints"):
        if config["callbacks"].get(name) and f"callbacks.{name}.every" not in changed:
            config["callbacks"][name]["every"] = max(1, lesson.images // LOOKS)
    return OmegaConf.create(config)


def _refuse_own(changed: Collection[str]) -> None:
    for key in changed:
        if owner := next((word for own, word in OWN.items() if key == own or key.startswith(f"{own}.")), None):
            raise ConfigError(f"--set {key}=... has no say in a lesson: {owner} decides about it.")


def chosen(lesson: Lesson) -> list[str]:
    """List what a lesson overrides in the configuration: its own choices, except those that the user makes."""
    changed = {override.partition("=")[0] for override in lesson.overrides}
    return [*(f"{group}={option}" for group, option in CHOICES.items() if group not in changed), *lesson.overrides]


def has_begun(folder: Path) -> bool:
    """Whether a lesson has written its configuration into its folder."""
    return (folder / CONFIG).is_file()


def _student(lesson: Lesson) -> dict[str, Any]:
    if isinstance(lesson.student, Path):
        return {"_target_": FURTHER, "path": str(lesson.student)}
    return {"_target_": LIGHT, **lesson.student}


def _side(wanted: int, network: nn.Module) -> int:
    """The next side that the teacher takes."""
    multiple = int(cast(int, network.size_multiple))
    return -(-wanted // multiple) * multiple
