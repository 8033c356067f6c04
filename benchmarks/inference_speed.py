"""Time networks in every way that ganstyle runs them.

`python -m benchmarks.inference_speed --photographs KODAK --calibrate PHOTOGRAPHS --work FOLDER --output FILE`.

The networks are pix2pix's U-Net-256 and the ResNet-9 at full size, with drawn weights unless
`--trained resnet9=ARTIFACT` gives others (speed does not depend on weights, int8's quality does), and a trained light
generator. All ways of one network take turns on the same photograph; how many times as fast a way is as eager PyTorch
in fp32 is the median over the rounds, each against the eager run of its own round. Memory is that of a process of its
own for each way. Artifacts and exports go into --work. `--parts` measures some parts again and keeps the others; the
bars are judged anew from all that is there.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.inference import bars, journeys
from benchmarks.inference.arms import BEST, PYTORCH, Way, exported_way, pytorch_way
from benchmarks.inference.peak import peak_of
from benchmarks.inference.subjects import EAGER, Subject, proven, subjects
from benchmarks.inference.timing import CLOCKS, interleaved, told
from benchmarks.record import machine
from ganstyle.export.parity import psnr
from ganstyle.export.pictures import photograph
from ganstyle.stylize.choose import choose
from ganstyle.stylize.memory import free_memory
from ganstyle.training.provenance import commit

ROUNDS = {256: 15, 512: 9, 1024: 5, 2048: 3}
"""By side of the picture, in pixels; of wall time."""
ONE_THREAD = {256: 7, 512: 5, 1024: 3, 2048: 1}
"""Of processor time, which varies less."""
CHOSEN_AT, LIKENESS = 512, 40.0
"""The side at which the best PyTorch is chosen, among ways that come within so many dB of eager."""
BYTES_PER_PIXEL = 1500
"""More than eager PyTorch takes; a size that would not fit into the free memory is left out."""
MEASURED = {512: 1, 1024: 1}
"""Of memory: once on each side."""
STARTS, FOLDER_ROUNDS, FOLDER_PICTURES = 7, 3, 12
LIGHT, LARGE = "light", "resnet9"
COMMAND = "python -m benchmarks.inference_speed --photographs kodak --calibrate monet2photo/testB --work FOLDER"


class Session:
    """What all parts share: networks, pictures, and what was measured before."""

    def __init__(self, words: argparse.Namespace, result: dict[str, Any]) -> None:
        self.work: Path = words.work
        self.photographs = sorted(words.photographs.glob("*.png"))
        self.calibrate: Path = words.calibrate
        self.largest: int = words.largest
        given = {LIGHT: Path("examples/models/vangogh")} | dict(_pair(word) for word in words.trained)
        self.subjects: list[Subject] = subjects(words.work, given)
        self.chosen = [subject for subject in self.subjects if subject.name in (words.networks or [subject.name])]
        self.result = result

    def parity(self) -> None:
        """Export every network every way; what the reports say, and which file `auto` takes."""
        self.result["networks"] = {subject.name: subject.described() for subject in self.subjects}
        self._keep("parity", [report for subject in self.chosen for report in proven(subject, self.calibrate)])
        self.result["auto"] = {
            subject.name: subject.arm(choose(subject.folder, "auto").path) for subject in self.subjects
        }

    def best(self) -> None:
        """Find the fastest way of PyTorch that paints what eager does."""
        self._threads(1)
        found = {subject.name: self._candidates(subject) for subject in self.chosen}
        self.result["pytorch"] = self.result.get("pytorch", {}) | found

    def rows(self) -> None:
        """Time every network in every way and size on all processors."""
        self._threads(len(os.sched_getaffinity(0)))
        self._keep("rows", [row for subject in self.chosen for row in self._rows(subject, ROUNDS, "wall")])

    def one_thread(self) -> None:
        """Time in one thread, by what the processor spent: what else runs on a machine hardly shows in it."""
        self._threads(1)
        self._keep(
            "one_thread", [row for subject in self.chosen for row in self._rows(subject, ONE_THREAD, "processor")]
        )

    def memory(self) -> None:
        """Measure every way's memory, each in a process of its own."""
        found = []
        for subject in self.chosen:
            places = {EAGER: (subject.folder, EAGER), BEST: (subject.folder, self._best(subject))}
            places |= {arm: (subject.file(arm), arm) for arm in subject.arms}
            for side in self._sides(MEASURED):
                for arm, (place, way) in places.items():
                    found.append({"network": subject.name, "side": side, "arm": arm} | peak_of(place, way, side))
        self._keep("memory", found)

    def deployment(self) -> None:
        """Time the light generator in int8 in turns with the eager ResNet-9, each in one thread."""
        self._threads(1)
        light, large = (self._subject(name) for name in (LIGHT, LARGE))
        image = photograph(self.photographs[0], CHOSEN_AT, CHOSEN_AT)
        ways = {"eager resnet9": partial(pytorch_way(large, EAGER), image)}
        ways["light int8"] = partial(exported_way(light, "openvino int8"), image)
        self.result["deployment"] = told(
            interleaved(ways, ONE_THREAD[CHOSEN_AT], CLOCKS["processor"]), "eager resnet9"
        )["light int8"]

    def folders(self) -> None:
        """Time `ganstyle stylize` on a folder against the network alone, with the file that `auto` takes and others."""
        jpegs, pngs = (
            journeys.copies(self.photographs[:FOLDER_PICTURES], self.work / "photographs", s) for s in (".jpg", ".png")
        )
        output = self.work / "restyled"
        todo = [(subject, arm, jpegs) for subject in self.chosen for arm in self._folder_arms(subject)]
        todo += [(subject, arm, pngs) for subject, arm, _ in todo if subject.name == LIGHT]
        self._keep("folders", [journeys.folder_share(*which, output, FOLDER_ROUNDS) for which in todo])

    def starts(self) -> None:
        """Time one picture from a fresh process, with every export of the light generator, and with PyTorch."""
        light = self._subject(LIGHT)
        picture = journeys.square(self.photographs[4], self.work)
        models = {arm: light.file(arm) for arm in light.arms} | {"PyTorch": light.folder}
        everywhere = os.sched_getaffinity(0)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
        for _ in range(STARTS):
            for name, model in models.items():
                taken[name].append(journeys.start(model, picture, self.work, everywhere))
        self.result["starts"] = [
            _start(name, times, journeys.imports_torch(models[name], picture, self.work))
            for name, times in taken.items()
        ]

    def _rows(self, subject: Subject, rounds: Mapping[int, int], clock: str) -> list[dict[str, Any]]:
        ways: dict[str, Way] = {EAGER: pytorch_way(subject, EAGER), BEST: pytorch_way(subject, self._best(subject))}
        ways |= {arm: exported_way(subject, arm) for arm in subject.arms}
        found = []
        for side in self._sides(rounds):
            image = photograph(self.photographs[0], side, side)
            calls: dict[str, Callable[[], object]] = {name: partial(way, image) for name, way in ways.items()}
            times = told(interleaved(calls, rounds[side], CLOCKS[clock]), EAGER)
            found += [{"network": subject.name, "side": side, "arm": name} | row for name, row in times.items()]
            print(json.dumps(found[-len(times) :]), flush=True)
        return found

    def _keep(self, part: str, rows: list[dict[str, Any]]) -> None:
        """Put rows in the place of older ones of the same networks."""
        names = {subject.name for subject in self.chosen}
        self.result[part] = [row for row in self.result.get(part, []) if row["network"] not in names] + rows

    def _candidates(self, subject: Subject) -> dict[str, Any]:
        image = photograph(self.photographs[0], CHOSEN_AT, CHOSEN_AT)
        ways = {name: partial(pytorch_way(subject, name), image) for name in PYTORCH}
        wanted = ways[EAGER]()
        alike = {name: way for name, way in ways.items() if psnr(way(), wanted) >= LIKENESS}
        times = told(interleaved(alike, 3, CLOCKS["processor"]), EAGER)
        fastest = max((name for name in times if name != EAGER), key=lambda name: times[name]["times_as_fast"])
        return {"best": fastest, "ways": times, "not_alike": sorted(set(ways) - set(alike))}

    def _best(self, subject: Subject) -> str:
        return str(self.result["pytorch"][subject.name]["best"])

    def _folder_arms(self, subject: Subject) -> list[str]:
        """OpenVINO's bf16, and what `auto` takes where that is another."""
        return sorted({"openvino bf16", self.result["auto"][subject.name]} & set(subject.arms))

    def _subject(self, name: str) -> Subject:
        return next(subject for subject in self.subjects if subject.name == name)

    def _sides(self, rounds: Mapping[int, int]) -> list[int]:
        return [side for side in rounds if side <= self.largest and BYTES_PER_PIXEL * side**2 < free_memory()]

    @staticmethod
    def _threads(count: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(count)
        torch.set_num_threads(count)


PARTS: Mapping[str, Callable[[Session], None]] = {
    "parity": Session.parity,
    "best": Session.best,
    "rows": Session.rows,
    "one_thread": Session.one_thread,
    "memory": Session.memory,
    "deployment": Session.deployment,
    "folders": Session.folders,
    "starts": Session.starts,
}


def main() -> None:
    """Measure the parts that are asked for, and write the results file after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, help="a folder of PNGs: Kodak's twenty-four")
    parser.add_argument("--calibrate", type=Path, required=True, help="a folder of other photographs, for int8")
    parser.add_argument("--work", type=Path, required=True, help="a folder for artifacts and exports")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--trained", nargs="*", default=[], metavar="NAME=ARTIFACT")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--networks", nargs="+", help="measure these again, and keep the others' rows")
    parser.add_argument("--largest", type=int, default=max(ROUNDS), help="of the sides, in pixels")
    words = parser.parse_args()
    words.work.mkdir(parents=True, exist_ok=True)
    result = json.loads(words.output.read_text()) if words.output.exists() else {}
    session = Session(words, result)
    for part in words.parts:
        before = os.getloadavg()[0]
        PARTS[part](session)
        result.setdefault("load", {})[part] = [round(before, 1), round(os.getloadavg()[0], 1)]
        words.output.write_text(json.dumps(_headed(result), indent=1) + "\n")
    print(json.dumps(bars.judged(result), indent=2))


def _headed(result: dict[str, Any]) -> dict[str, Any]:
    """Put the bars and what the figures depend on before the figures."""
    head = {
        "command": COMMAND,
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "threads": len(os.sched_getaffinity(0)),
        "protocol": " ".join(str(__doc__).split("\n\n")[2].split()),
        "bars": bars.judged(result),
    }
    return head | {name: value for name, value in result.items() if name not in head}


def _start(name: str, times: list[tuple[float, float]], torch_too: bool) -> dict[str, Any]:
    walls, processors = zip(*times, strict=True)
    return {
        "arm": name,
        "wall": round(statistics.median(walls), 3),
        "least_wall": round(min(walls), 3),
        "processor": round(statistics.median(processors), 3),
        "runs": len(times),
        "imports_torch": torch_too,
    }


def _pair(word: str) -> tuple[str, Path]:
    name, _, path = word.partition("=")
    return name, Path(path)


if __name__ == "__main__":
    main()
