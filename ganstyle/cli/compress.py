"""`ganstyle compress`: a smaller network that paints what a trained one paints."""

import json
import os
import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle.cli.refusals import OverwriteError, UsageError
from ganstyle.cli.rungs import (
    NARROWED,
    PRUNED,
    STUDENT,
    WORK,
    Job,
    best_of,
    pruned_of,
    quantized_of,
    student_of,
    teacher_of,
)

if TYPE_CHECKING:
    from ganstyle.compress.ladder import Goal, Rung, Step
    from ganstyle.compress.target import Student

REPORT = "compress.json"
JUDGED, WEIGHED = 16, 16
"""Photographs that distances to the teacher are measured on, and those that channels are judged by."""
SIDE = 256
DETAILS = """\
Three steps, each of which leaves its result in the folder --output:

  student          a light generator with 1/N of the parameters and 1/(0.8 N) of the multiply-adds, taught by ARTIFACT
  pruned           the student without the channels that matter least for what they cost, after a short recovery
  NAME.int8.onnx   the better of the two in 8 bits, where `ganstyle stylize --backend auto` finds it

compress.json holds what each takes and how near it stays to the teacher, on photographs that none has learned from.
A goal that was not reached is told, and the exit code is 1 then. `ganstyle evaluate --against` judges both sides.

Teaching takes photographs only: a folder of them, or a data set with trainA and trainB. --set changes anything that
`python train.py method=distill data=photographs generator=light trainer=small --cfg job` shows, but for what the
options here decide about: student, teacher, photographs and length.

examples:
  ganstyle compress runs/monet/TIME/artifact --target 10x --data data/monet2photo --output models/monet
  ganstyle compress models/big --target 20x --data photographs --images 40000 --set trainer.batch_size=16 --output small
  ganstyle compress models/big --target 10x --data photographs --prune 0 --to none --output small
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("artifact", metavar="ARTIFACT", type=Path, help="folder of a trained artifact, the teacher")
    parser.add_argument("--target", metavar="N", default="10x", help="how many times fewer parameters (default: 10x)")
    parser.add_argument("--data", metavar="DATA", type=Path, required=True, help="photographs, or a data set's folder")
    parser.add_argument("--images", metavar="N", type=int, default=8000, help="to learn from (default: %(default)s)")
    parser.add_argument("--recovery", metavar="N", type=int, help="to recover on after pruning (default: a quarter)")
    parser.add_argument(
        "--prune", metavar="SHARE", type=float, default=0.2, help="of multiply-adds; 0: none (default: %(default)s)"
    )
    parser.add_argument("--to", default="onnx", help="int8 as onnx or openvino, or none (default: %(default)s)")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="of the training; repeatable")
    parser.add_argument("--resume", action="store_true", help="go on with what was interrupted in --output")
    parser.add_argument("--force", action="store_true", help="replace what is at --output")
    parser.add_argument("--output", metavar="FOLDER", type=Path, required=True, help="for artifacts and report")


def run(words: Namespace) -> int:
    """Teach, prune, quantize and measure; 1 when a goal is not reached."""
    from ganstyle.artifact import load
    from ganstyle.compress.target import choose, factor_of

    factor = factor_of(words.target)
    _check(words)
    network = load(words.artifact).network
    student = choose(network, factor)
    job = _job(words, int(network.size_multiple))  # type: ignore[arg-type]
    _prepare(job, student)
    _tell_student(student)
    steps = [*teacher_of(job), *student_of(job, student)]
    steps += pruned_of(job, steps)
    best = best_of(job, steps)
    quantized = quantized_of(job, best)
    return _conclude(job, [*steps, *quantized], next(iter(quantized), best), factor)


def _check(words: Namespace) -> None:
    from ganstyle.artifact import read_card
    from ganstyle.compress.errors import CompressError
    from ganstyle.export.write import FORMATS

    if read_card(words.artifact).arguments.get("styles"):
        raise CompressError(f"{words.artifact} paints several styles, but students are taught one; give another one.")
    if words.images < 1 or (words.recovery is not None and words.recovery < 1):
        raise CompressError("--images and --recovery are numbers of photographs, at least 1.")
    if not 0 <= words.prune < 1:
        raise CompressError(f"--prune is {words.prune:g}, but it is a share: at least 0 and below 1.")
    if words.to != "none" and not (words.to in FORMATS and FORMATS[words.to].eight_bits):
        raise CompressError(f"--to is {words.to}, but 8 bits go to onnx, openvino or none.")
    if words.output.resolve() in words.artifact.resolve().parents:
        raise UsageError(f"{words.artifact} lies in --output {words.output}; give another --output.")
    if words.output.exists() and not (words.force or words.resume):
        raise OverwriteError(
            f"{words.output} exists; add --force to replace it or --resume to go on, or give another --output."
        )


def _prepare(job: Job, student: "Student") -> None:
    """Remove what an earlier compression left, and nothing else, once all that was asked for is known to fit."""
    from ganstyle.training.compress import configured

    configured(job.lesson(STUDENT, student=student.arguments))
    output: Path = job.words.output
    if job.words.resume:
        return
    for folder in _left(job):
        shutil.rmtree(folder)
    for file in (output / REPORT, *output.glob(f"{STUDENT}.int8.*"), *output.glob(f"{PRUNED}.int8.*")):
        file.unlink(missing_ok=True)


def _left(job: Job) -> list[Path]:
    """List the folders that an earlier compression left; raises OverwriteError where one is anybody else's."""
    left = [folder for name in (STUDENT, PRUNED, WORK) if os.path.lexists(folder := job.place(name))]
    for folder in left:
        if not _is_own(folder):
            raise OverwriteError(
                f"{folder} holds something that no compression left, which --force does not remove; "
                f"move it away, or give another --output."
            )
        if job.photographs.resolve().is_relative_to(folder.resolve()):
            raise OverwriteError(
                f"the photographs of --data {job.words.data} lie in {folder}, which --force removes; "
                f"give another --output."
            )
    return left


def _is_own(folder: Path) -> bool:
    """Whether a folder of the output holds nothing but what a compression writes there."""
    from ganstyle.artifact import is_replaceable
    from ganstyle.training.compress import has_begun

    if folder.is_symlink() or not folder.is_dir():
        return False
    if folder.name != WORK:
        return is_replaceable(folder)
    lessons = {STUDENT: has_begun, PRUNED: has_begun, NARROWED: is_replaceable}
    return all(path.name in lessons and lessons[path.name](path) for path in folder.iterdir())


def _job(words: Namespace, multiple: int) -> Job:
    from ganstyle.data.folders import spread
    from ganstyle.data.photographs import divided
    from ganstyle.export.pictures import photograph

    folder = _photographs(words)
    side = -(-SIDE // multiple) * multiple
    seen, unseen = (spread(paths, count) for paths, count in zip(divided(folder), (WEIGHED, JUDGED), strict=True))
    weighed, judged = ([photograph(path, side, side) for path in paths] for paths in (seen, unseen))
    return Job(words, folder, weighed, judged)


def _photographs(words: Namespace) -> Path:
    """Find the photographs in a data set: the side that the teacher learned to restyle."""
    from ganstyle.artifact import read_card
    from ganstyle.cli.sets import direction_of
    from ganstyle.cli.subjects import learned_direction
    from ganstyle.data.folders import sides

    data: Path = words.data
    if not (data / "trainA").is_dir():
        return data
    name = data.resolve().name
    source, _ = sides(learned_direction(read_card(words.artifact), name) or direction_of(name))
    return data / f"train{source}"


def _tell_student(student: "Student") -> None:
    chosen, size = student.arguments, student.size
    print(
        f"student: a light generator of {chosen['blocks']} blocks and {chosen['channels']} channels, "
        f"{size.parameters / 1e6:.2f} M parameters, {size.multiply_adds / 1e9:.2f} G multiply-adds at 256 x 256",
        flush=True,
    )


def _conclude(job: Job, steps: "Sequence[Step]", final: "Step", factor: float) -> int:
    """Measure every step, write the report and say what the final one reached."""
    from ganstyle.compress.ladder import goals, measured, plain

    rungs = measured(steps, job.judged)
    reached = goals(rungs[0], rungs[steps.index(final)], factor)
    report = {"ganstyle": "compress", "target": job.words.target, "final": final.name, **plain(rungs, reached)}
    job.place(REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _record(job, steps, rungs)
    _tell(rungs, reached)
    is_missing = job.words.to != "none" and final.name != "int8"
    if is_missing:
        print(f"8 bits by {job.words.to}: NOT reached, since the pictures would be too far from those of {final.name}")
    return 0 if all(goal.met for goal in reached) and not is_missing else 1


def _record(job: Job, steps: "Sequence[Step]", rungs: "Sequence[Rung]") -> None:
    """Write onto the cards of what was made how near it is to the teacher."""
    from ganstyle.artifact import Metric, record

    height, width = job.judged[0].shape[2:]
    protocol = f"{len(job.judged)} held-out photographs of {job.photographs.name}, {width} x {height}, fp32"
    for step, rung in zip(steps, rungs, strict=True):
        if step.path == step.artifact != job.words.artifact:
            found = {"l1_to_teacher": rung.distance, "psnr_to_teacher": rung.psnr}
            record(step.path, [Metric(name, value, protocol) for name, value in found.items()])


def _tell(rungs: "Sequence[Rung]", reached: "Sequence[Goal]") -> None:
    print(f"{'':8}  {'parameters':>12}  {'multiply-adds':>14}  {'MB':>6}  {'ms':>8}  {'dB to teacher':>13}")
    for rung in rungs:
        print(
            f"{rung.name:8}  {rung.parameters:12,}  {rung.multiply_adds / 1e9:12.2f} G  {rung.bytes / 1e6:6.2f}  "
            f"{rung.milliseconds:8.1f}  {'-' if rung.name == 'teacher' else f'{rung.psnr:.1f}':>13}"
        )
    for goal in reached:
        verdict = "reached" if goal.met else "NOT reached"
        print(f"{goal.what}: {goal.reached:.1f} times, {goal.wanted:g} were asked for: {verdict}")
