"""The steps of `ganstyle compress`, each of which makes one rung of the ladder unless an earlier run has made it."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstyle.cli.reuse import network_of, refuse_others, shown

if TYPE_CHECKING:
    from ganstyle.backends.model import Images
    from ganstyle.compress.ladder import Step
    from ganstyle.compress.target import Student
    from ganstyle.training.compress import Lesson

STUDENT, PRUNED, WORK, NARROWED = "student", "pruned", "training", "narrowed"
TOLERANCE = 1.05
"""How many times as far from the teacher as the student a pruned network may be to be worth it."""
RECOVERY_PACE = 0.5
"""Factor of the learning rate while a pruned network recovers."""


@dataclass(frozen=True)
class Job:
    """What a command line asks for."""

    words: Namespace
    photographs: Path
    weighed: "list[Images]"
    judged: "list[Images]"

    def place(self, name: str) -> Path:
        """Where something lies in the output folder."""
        output: Path = self.words.output
        return output / name

    def lesson(self, name: str, **changes: Any) -> "Lesson":
        """One training, in a folder of its own."""
        from ganstyle.training.compress import Lesson

        words = self.words
        given = {"images": words.images, "overrides": tuple(words.set), "resume": words.resume} | changes
        return Lesson(words.artifact, self.photographs, self.place(WORK) / name, **given)


def teacher_of(job: Job) -> "list[Step]":
    """The network that is imitated, as it is."""
    from ganstyle.compress.ladder import Step

    return [Step("teacher", job.words.artifact, job.words.artifact)]


def student_of(job: Job, student: "Student") -> "list[Step]":
    """Teach the student, unless that was done before."""
    from ganstyle.compress.ladder import Step
    from ganstyle.training.compress import taught

    output = job.place(STUDENT)
    if (output / "card.json").is_file():
        refuse_others(output, _asked(job) | network_of("light", student.arguments))
    else:
        _keep(job, taught(job.lesson(STUDENT, student=student.arguments)), output)
    return [Step("student", output, output)]


def pruned_of(job: Job, steps: "Sequence[Step]") -> "list[Step]":
    """Prune the student and let it recover, unless that was done before."""
    from ganstyle.compress.ladder import Step
    from ganstyle.training.compress import taught

    words, output, narrow = job.words, job.place(PRUNED), job.place(WORK) / NARROWED
    if words.prune == 0:
        return []
    images, student = _recovery(words), steps[-1].path
    if (output / "card.json").is_file():
        refuse_others(output, _asked(job) | {"--recovery": images} | _asked_of_pruning(job, student))
    else:
        _narrow(job, student, narrow)
        _keep(job, taught(job.lesson(PRUNED, student=narrow, images=images, pace=RECOVERY_PACE)), output)
    return [Step("pruned", output, output)]


def _narrow(job: Job, student: Path, narrow: Path) -> None:
    """Take channels out of the student, unless what is left is recovering already."""
    from ganstyle.compress.shorten import shorten
    from ganstyle.training.compress import has_begun

    if narrow.is_dir() and has_begun(job.place(WORK) / PRUNED):
        refuse_others(narrow, _asked_of_pruning(job, student))
    else:
        shorten(student, job.words.artifact, narrow, job.weighed, job.words.prune)


def _asked(job: Job) -> dict[str, Any]:
    """What a command line asks of every lesson, by its words."""
    from ganstyle.artifact import read_card
    from ganstyle.data.photographs import name_of

    return {
        "ARTIFACT": shown(read_card(job.words.artifact).weights_sha256),
        "--target": _target(job.words),
        "--data": name_of(job.photographs),
        "--images": job.words.images,
    }


def _asked_of_pruning(job: Job, student: Path) -> dict[str, Any]:
    from ganstyle.artifact import read_card

    return {"--prune": job.words.prune, "student": shown(read_card(student).weights_sha256)}


def _target(words: Namespace) -> str:
    from ganstyle.compress.target import factor_of

    return f"{factor_of(words.target):g}x"


def _recovery(words: Namespace) -> int:
    images: int = words.recovery or max(1, words.images // 4)
    return images


def _keep(job: Job, trained: Path, output: Path) -> None:
    """Publish what a lesson made, with the teacher's name and terms on its card."""
    from ganstyle import artifact
    from ganstyle.compress.shorten import kept

    words, made = job.words, artifact.load(trained)
    teacher, about = artifact.read_card(words.artifact), kept(made.card)
    budget = {STUDENT: words.images} | ({} if output.name == STUDENT else {"recovery": _recovery(words)})
    about["training"] |= {"target": _target(words), "budget": budget, "experiment": f"compress {output.name}"}
    if output.name == PRUNED:
        narrow = artifact.read_card(job.place(WORK) / NARROWED).training
        about["training"] |= {name: narrow[name] for name in ("prune", "student_sha256")}
    licence = f"{teacher.licence}; photographs to imitate it on: {made.card.licence}"
    artifact.save(made.network, output, **about | {"styles": teacher.styles, "licence": licence})


def quantized_of(job: Job, best: "Step") -> "list[Step]":
    """Write an artifact in 8 bits; nothing where that harms it too much."""
    from ganstyle.compress.ladder import Step
    from ganstyle.export.errors import ParityError
    from ganstyle.export.write import default_output, export

    if job.words.to == "none":
        return []
    output = default_output(best.path, job.words.to, "int8")
    try:
        export(best.path, output, to=job.words.to, precision="int8", calibrate=job.photographs)
    except ParityError as error:
        print(error, file=sys.stderr)
        return []
    return [Step("int8", output, best.path)]


def best_of(job: Job, steps: "Sequence[Step]") -> "Step":
    """Choose the pruned step where it stays about as near to the teacher as the student, else the student."""
    from ganstyle.compress.ladder import distance
    from ganstyle.export.write import computing

    if steps[-1].name != "pruned":
        return steps[-1]
    teacher, student, pruned = (computing(step.path) for step in steps)
    truths = [teacher(picture, None) for picture in job.judged]
    before, after = (distance(compute, job.judged, truths) for compute in (student, pruned))
    if after <= TOLERANCE * before:
        return steps[-1]
    print(
        f"pruning did not pay: {after:.4f} from the teacher, the student {before:.4f}; the student goes on.", flush=True
    )
    return steps[1]
