"""`ganstyle evaluate`: joins artifacts, folders and data to the metrics, and leaves a report."""

import os
import platform
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle import __version__
from ganstyle.beside import folder_beside
from ganstyle.cli.networks import PUBLISHED, Alike, ReportError, device, examinations, published, seen_alike
from ganstyle.cli.refusals import UsageError

if TYPE_CHECKING:
    from ganstyle.cli.sets import Wanted
    from ganstyle.cli.subjects import Folder, Model
    from ganstyle.metrics.evidence import Evidence, Subject
    from ganstyle.metrics.judge import Judge
    from ganstyle.metrics.protocol import Protocol
    from ganstyle.metrics.results import Report
    from ganstyle.metrics.sets import References, Sources

LEAST_SIDE = 44
"""Pixels; content is compared at three octaves, and the last of a smaller picture has no room for a window."""
PACKAGES = ("torch", "torchvision", "torchmetrics", "numpy", "scipy")
DETAILS = """\
The report's first sentence names every baseline that is as good as the model on both sides, content and style, and says
whether the model is better than recoloring. docs/guides/evaluate.md explains how to read it.

Data is a folder in any layout that training takes, a plain folder of photographs with --reference, or `toy`.
Results of any program are judged by --results: each picture is called like its photograph.

examples:
  ganstyle evaluate --model examples/models/monet --data data/monet2photo --output report
  ganstyle evaluate --model examples/models/vangogh --data photographs --reference paintings --force --output report
  ganstyle evaluate --results pictures/of/another/program --data data/monet2photo --output report
  ganstyle evaluate --model A --against B --data data/monet2photo --output report
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    judged = parser.add_mutually_exclusive_group(required=True)
    judged.add_argument("--model", metavar="ARTIFACT", type=Path, help="folder of a trained artifact")
    judged.add_argument("--results", metavar="FOLDER", type=Path, help="pictures that any program made, by file stem")
    parser.add_argument("--name", help="what the model's row is called (default: its run or folder)")
    parser.add_argument("--against", metavar="B", type=Path, help="another artifact or folder of results, compared")
    parser.add_argument("--data", metavar="DATA", required=True, help="folder of a data set or of photographs, or toy")
    parser.add_argument("--split", default="test", help="train, val or test (default: %(default)s)")
    parser.add_argument("--direction", help="AtoB or BtoA, where the data set's name or the model's card does not tell")
    parser.add_argument("--reference", metavar="FOLDER", type=Path, help="paintings (default: all targets of the data)")
    parser.add_argument("--features", metavar="FILE", help="weights of a VGG to judge through (default: the embedded)")
    for option, network in PUBLISHED.items():
        parser.add_argument(option, metavar="FILE", help=f"{network}, or `download`")
    parser.add_argument("--size", type=int, help="side of the judged pictures in pixels (default: 256; 96 for toy)")
    parser.add_argument("--limit", metavar="N", type=int, help="judge no more than N photographs")
    parser.add_argument("--seed", type=int, default=0, help="of baselines and intervals (default: %(default)s)")
    parser.add_argument("--cache", metavar="FOLDER", type=Path, help="of reference statistics (else $GANSTYLE_CACHE)")
    parser.add_argument("--record", action="store_true", help="write the scores into the artifact's card, too")
    parser.add_argument(
        "--device", default="cpu", help="cpu or cuda: where features are computed (default: %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="judge by fewer than 50 pictures, marked on every row")
    parser.add_argument("--output", metavar="REPORT", type=Path, required=True, help="folder for the report")


def run(words: Namespace) -> int:
    """Judge a model or a folder of results, and write the report."""
    _check_counts(words)
    _refuse_foreign(words.output)
    with _processes():
        return _evaluate(words)


def _check_counts(words: Namespace) -> None:
    for option, value, least in (("--size", words.size, LEAST_SIDE), ("--limit", words.limit, 1)):
        if value is not None and value < least:
            raise UsageError(f"{option} is at least {least}, but got {value}.")


def _evaluate(words: Namespace) -> int:
    from ganstyle.cli.sets import find
    from ganstyle.metrics.cache import Cache, cache_folder
    from ganstyle.metrics.evaluate import evaluate
    from ganstyle.metrics.features import feature_network
    from ganstyle.metrics.judge import judge_through

    judged = _opened(words)
    sources, references, stems = find(_wanted(words, judged))
    network = feature_network(path=words.features, device=device(words.device))
    judge = judge_through(network, sources, published(words), seed=words.seed)
    seen = [seen_alike(one, network) for one in judged]
    protocols = [_protocol(one, words, sources, references, judge) for one in judged]
    subjects = [_subject(*each, sources, words.seed) for each in zip(judged, protocols, seen, strict=True)]
    protocols[0].require_enough(words.force)
    done = evaluate(
        sources,
        references,
        subjects,
        judge,
        cache=Cache(words.cache or cache_folder()),
        seed=words.seed,
        examinations=examinations(words, network, judge),
    )
    if done is None:
        return 0
    report, evidence = done
    report = replace(report, notes=(*_notes(judged, stems), *report.notes))
    _publish(report, evidence, words.output, _runs(words))
    _record(report, words)
    _tell(report, words.output)
    return 0


def _opened(words: Namespace) -> "list[Model | Folder]":
    """Open what is to be judged, the one it is compared with second."""
    from ganstyle.cli import subjects

    opened = subjects.model(words.model) if words.model else subjects.folder(words.results)
    first = replace(opened, name=words.name) if words.name else opened
    if words.record and not words.model:
        raise UsageError("--record writes scores into an artifact's card, and --results has none; leave it out.")
    if words.against is None:
        return [first]
    second = subjects.subject(words.against)
    if first.name == second.name:
        return [replace(first, name=f"{first.name} (1)"), replace(second, name=f"{second.name} (2)")]
    return [first, second]


def _wanted(words: Namespace, judged: "Sequence[Model | Folder]") -> "Wanted":
    """Say which pictures are asked for."""
    from ganstyle.cli.sets import Wanted

    folders = [one.stems for one in judged if one.stems is not None]
    return Wanted(
        data=words.data,
        split=words.split,
        direction=words.direction or _direction_of(judged, words.data),
        reference=words.reference,
        size=words.size,
        limit=words.limit,
        stems=frozenset.intersection(*folders) if folders else None,
    )


def _direction_of(judged: "Sequence[Model | Folder]", data: str) -> str | None:
    """The direction that a model learned on this very data set, if its card tells."""
    from ganstyle.cli.subjects import learned_direction

    name = Path(data).resolve().name
    found = [learned_direction(one.card, name) for one in judged if one.card]
    return next((direction for direction in found if direction), None)


def _subject(judged: "Model | Folder", protocol: "Protocol", seen: Alike, sources: "Sources", seed: int) -> "Subject":
    from ganstyle.metrics.evidence import Subject
    from ganstyle.metrics.trained import scores_of_features, trained_scores

    restyle = judged.restyler(sources.stems, protocol.size, seed)
    losses = judged.card.losses if judged.card else {}
    trained_with = trained_scores(losses, same_features=seen == "same")
    akin = scores_of_features(losses) if seen == "akin" else frozenset()
    return Subject(judged.name, restyle, protocol, trained_with, akin)


def _protocol(
    judged: "Model | Folder", words: Namespace, sources: "Sources", references: "References", judge: "Judge"
) -> "Protocol":
    from ganstyle.metrics.protocol import Protocol
    from ganstyle.metrics.sets import RESIZE
    from ganstyle.training.provenance import commit

    return Protocol(
        data=sources.name,
        sources=len(sources),
        reference=references.name,
        paintings=references.paintings,
        crops=len(references.crops),
        reference_sha256=references.sha256,
        size=sources.pictures.shape[-1],
        resize=RESIZE,
        features=judge.features,
        features_sha256=judge.features_sha256,
        **judged.habits,
        seed=words.seed,
        commit=commit() or f"ganstyle {__version__}",
        versions=(
            ("python", platform.python_version()),
            *((name, version(name)) for name in PACKAGES),
            ("device", words.device),
        ),
    )


def _notes(judged: "Sequence[Model | Folder]", stems: frozenset[str]) -> list[str]:
    """Say what did not match, where results lie in folders."""
    from ganstyle.cli.sets import unmatched

    return [note for one in judged if one.stems is not None for note in unmatched(one.name, one.stems, stems)]


def _runs(words: Namespace) -> list[Path]:
    """Name the training runs, with curves, that judged artifacts still lie in: RUN/artifact, or RUN/artifact/NAME."""
    judged = [path.resolve() for path in (words.model, words.against) if path is not None]
    folders = [folder for path in judged for folder in list(path.parents)[:2]]
    return list(dict.fromkeys(folder for folder in folders if (folder / "csv").is_dir()))


def _publish(report: "Report", evidence: "Evidence", output: Path, runs: Sequence[Path]) -> None:
    """Write the report beside its place, then rename it there, so that no half of one is ever seen."""
    from ganstyle.metrics.report import write_report

    try:
        with folder_beside(output) as fresh:
            write_report(report, evidence, fresh, runs)
    except OSError as error:
        raise ReportError(f"the report cannot be written to {output}: {error.strerror or error}.") from error


def _refuse_foreign(output: Path) -> None:
    """Refuse to replace anything but an older report."""
    if not output.exists() or ((output / "metrics.json").is_file() and (output / "report.html").is_file()):
        return
    if not output.is_dir() or any(output.iterdir()):
        raise ReportError(f"{output} exists and is not a report; choose another --output, or remove this one.")


def _record(report: "Report", words: Namespace) -> None:
    """Write the scores of the model into its card."""
    if not words.record:
        return
    from ganstyle.artifact import Metric, record
    from ganstyle.metrics.results import card_metrics

    record(words.model, [Metric(*metric) for metric in card_metrics(report)])


def _tell(report: "Report", output: Path) -> None:
    print("\n".join(report.opening()))
    print(output / "report.html")


@contextmanager
def _processes() -> Iterator[None]:
    """Let the processes of torchrun find each other; on its own, a process is the only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    from torch import distributed

    distributed.init_process_group("gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()
