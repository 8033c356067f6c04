"""Climb the ladder of a compression: teacher, student, pruned, 8 bits; what each takes, what its pictures are worth.

ganstyle compress TEACHER --target 10x --data PATH/monet2photo --output WORK
python -m benchmarks.compress --teacher TEACHER --compressed WORK --data PATH/monet2photo --features FILE
    --output benchmarks/results/compress_monet.json

Content kept and style reached are those of `ganstyle evaluate`, on the same photographs, none of them seen in
training, and the same paintings. Times are medians of turns, for one picture of 256 x 256. Exports are
kept with their parity. The bars were set before: 10 times fewer parameters, 8 times fewer multiply-adds, 4 times as
fast, at most 5 % worse on either side.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import command, machine
from ganstyle.artifact import read_card
from ganstyle.backends.model import Images
from ganstyle.backends.reports import report_path
from ganstyle.cli.sets import Sets, Wanted, find
from ganstyle.compress.ladder import RUNS, Rung, Step, measured, plain
from ganstyle.data.folders import pictures_in, spread
from ganstyle.export.errors import ExportError
from ganstyle.export.pictures import photograph
from ganstyle.export.write import default_output, export
from ganstyle.metrics.cache import Cache
from ganstyle.metrics.evidence import Subject, gather
from ganstyle.metrics.features import FeatureNetwork, feature_network
from ganstyle.metrics.headline import spread as interval
from ganstyle.metrics.judge import judge_through
from ganstyle.metrics.plane import Halves, measure, place
from ganstyle.metrics.protocol import Protocol
from ganstyle.metrics.sets import RESIZE
from ganstyle.stylize import load
from ganstyle.training.provenance import commit
from ganstyle.types import Image

SMALLER = {"parameters": 10.0, "multiply_adds": 8.0, "milliseconds": 4.0}
"""How many times smaller than the teacher's the last rung's should be."""
WORSE = 0.05
"""How much worse it may be, as a share of what the teacher has; of distances, how much larger."""
KEPT, DISTANCES = ("content", "style", "edge_correlation"), ("gram",)
FIDELITY = 16
"""Photographs on which distances to the teacher's pictures are measured."""


def main() -> None:
    """Measure every rung and write one results file."""
    words = _arguments()
    sets, network = find(Wanted(str(words.data), limit=words.limit)), feature_network(path=words.features)
    with tempfile.TemporaryDirectory() as folder:
        steps = _steps(words, Path(folder))
        parity = {step.name: _parity(step) for step in steps if step.path.is_file()}
        rungs = measured(steps, _pictures(words.data))
        quality = judged(steps, sets, network)
    rows = {rung.name: _row(rung, rungs[0], quality) for rung in rungs}
    bars = {name: compared(rows["teacher"], row) for name, row in rows.items() if "teacher" not in name}
    result = {
        "command": command("benchmarks.compress"),
        "taught_by": words.command,
        "commit": commit(),
        "machine": machine(),
        "note": words.note,
        "protocol": f"{len(sets.sources)} photographs of {sets.sources.name}; {len(sets.references.crops)} windows of "
        f"{sets.references.name}; features {network.name}; times: medians of {RUNS} turns, 256 x 256; distances to the "
        f"teacher on {FIDELITY} held-out photographs",
        "teacher": _about(words.teacher),
        "student": _about(words.compressed / "student"),
        "ladder": rows,
        "parity": parity,
        "bars": bars,
        "verdict": [_verdict(name, found) for name, found in bars.items()],
        "versions": {"torch": torch.__version__},
        **{name: value for name, value in plain([], []).items() if name in ("processor", "threads", "load")},
    }
    words.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps({"ladder": rows, "bars": bars, "verdict": result["verdict"]}, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("teacher", "compressed", "data", "features", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=100, help="photographs to judge on (default: %(default)s)")
    parser.add_argument("--command", action="append", default=[], help="that made what is measured; repeatable")
    parser.add_argument("--note", default="", help="what a reader must know, e.g. how busy the machine was")
    return parser.parse_args()


def _steps(words: argparse.Namespace, folder: Path) -> list[Step]:
    """List the ladder, teacher and best step in onnxruntime, and 8 bits by every program that is installed."""
    teacher, compressed = words.teacher, words.compressed
    trained = [Step("teacher", teacher, teacher)]
    trained += [Step(n, compressed / n, compressed / n) for n in ("student", "pruned") if (compressed / n).is_dir()]
    files = {step: default_output(step.path, "onnx", "int8") for step in trained[1:]}
    made = {step: file for step, file in files.items() if file.is_file()}
    best = max(made, key=lambda step: made[step].stat().st_mtime) if made else trained[-1]
    found = [*trained, *(_in_onnxruntime(step, folder) for step in (trained[0], best))]
    found += [Step("int8 in onnxruntime", made[best], best.path)] if made else []
    try:
        photographs = words.data / "trainB"
        export(best.path, folder / "small.xml", to="openvino", precision="int8", calibrate=photographs)
        found.append(Step("int8 in OpenVINO", folder / "small.xml", best.path))
    except (ExportError, ImportError) as error:
        print(error)
    return found


def _in_onnxruntime(step: Step, folder: Path) -> Step:
    """Export a step in 32 bits, so that what 8 bits gain is told apart from what the program gains."""
    path = folder / f"{step.name}.onnx"
    export(step.path, path, to="onnx")
    return Step(f"{step.name} in onnxruntime", path, step.artifact)


def _parity(step: Step) -> dict[str, Any]:
    """How near an export is to the artifact it was made from, as its report says."""
    report = json.loads(report_path(step.path).read_text(encoding="utf-8"))
    return {name: report[name] for name in ("precision", "pictures", "unit", "bound", "sizes")}


def _pictures(data: Path) -> list[Images]:
    return [photograph(path, 256, 256) for path in spread(pictures_in(data / "testB"), FIDELITY)]


def judged(steps: Sequence[Step], sets: Sets, network: FeatureNetwork) -> dict[str, dict[str, Any]]:
    """Place every rung in the plane of content and style, all on the same half samples."""
    judge = judge_through(network, sets.sources, seed=0)
    subjects = [Subject(step.name, _Painter(step.path), _protocol(sets, network)) for step in steps]
    evidence = gather(sets.sources, sets.references, subjects, judge, cache=Cache(None), seed=0)
    assert evidence is not None
    halves = Halves.of(len(sets.sources), sets.references.painting, seed=0)
    scores = measure(evidence.described, evidence.references_described, judge.content, judge.style, halves)
    plane = place(scores.content, scores.style)
    teacher = plane.standings[steps[0].name]
    found: dict[str, dict[str, Any]] = {"used": {"content": plane.content, "style": plane.style}}
    for name, standing in plane.standings.items():
        single = {
            score: float(rows[name][0]) for side in (scores.content, scores.style) for score, rows in side.items()
        }
        found[name] = {"content": float(standing.content[0]), "style": float(standing.style[0]), **single}
        found[name] |= {
            "content_below_teacher": interval(teacher.content - standing.content)._asdict(),
            "style_below_teacher": interval(teacher.style - standing.style)._asdict(),
        }
    return found


class _Painter:
    """Restyles a photograph by an artifact or an exported file."""

    def __init__(self, path: Path) -> None:
        self.stylizer = load(path)

    def __call__(self, image: Image, number: int) -> Image:
        return self.stylizer.stylize(image)


def _protocol(sets: Sets, network: FeatureNetwork) -> Protocol:
    return Protocol(
        data=sets.sources.name,
        sources=len(sets.sources),
        reference=sets.references.name,
        paintings=sets.references.paintings,
        crops=len(sets.references.crops),
        reference_sha256=sets.references.sha256,
        size=sets.sources.pictures.shape[-1],
        resize=RESIZE,
        features=network.name,
        features_sha256=network.sha256,
        weights="ema",
        dropout="none",
        normalization="no batch norm",
        seed=0,
        commit=commit() or "unknown",
        versions=(("torch", torch.__version__),),
    )


def _row(rung: Rung, teacher: Rung, quality: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a rung takes, how many times smaller that is, and what its pictures are worth."""
    taken, first = asdict(rung), asdict(teacher)
    smaller = {f"{name}_times_smaller": round(first[name] / taken[name], 2) for name in SMALLER}
    return taken | smaller | quality[rung.name]


def compared(teacher: dict[str, Any], row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Hold a rung to every bar."""
    smaller = {name: (row[f"{name}_times_smaller"], times) for name, times in SMALLER.items()}
    kept = {name: (row[name], teacher[name] - WORSE * abs(teacher[name])) for name in KEPT}
    found = {
        name: {"value": value, "at_least": bar, "met": value >= bar} for name, (value, bar) in (smaller | kept).items()
    }
    for name in DISTANCES:
        bar = teacher[name] * (1 + WORSE)
        found[name] = {"value": row[name], "at_most": bar, "met": row[name] <= bar}
    return found


def _verdict(name: str, bars: dict[str, dict[str, Any]]) -> str:
    """Say plainly which bars the last rung misses."""
    missed = [f"{bar} ({found['value']:.3g})" for bar, found in bars.items() if not found["met"]]
    return f"{name} meets every bar" if not missed else f"{name} misses {', '.join(missed)}"


def _about(folder: Path) -> dict[str, Any]:
    """Say what an artifact is and how it was trained."""
    card = read_card(folder)
    return {
        "network": card.network,
        "arguments": card.arguments,
        "weights_sha256": card.weights_sha256,
        "images_seen": card.training.get("images_seen"),
        "objective": card.losses,
    }


if __name__ == "__main__":
    main()
