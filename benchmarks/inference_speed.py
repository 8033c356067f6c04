"""Time networks in every way that ganstyle runs them.

`python -m benchmarks.inference_speed --photographs KODAK --calibrate PHOTOGRAPHS --work FOLDER --output FILE`.

The networks are pix2pix's U-Net-256 and the ResNet-9 at full size, with drawn weights unless
`--trained resnet9=ARTIFACT` gives others (speed does not depend on weights, int8's quality does), and a trained light
generator. All ways of one network take turns on the same photograph, on the processors that the command is given, by
the clock, or by the processors' time where other work shares them; how many times as fast a way is as eager PyTorch in
fp32 is the median over the rounds, each against the eager run of its own round; `psnr` says how near to eager's its
picture is. Memory is that of a process of its own for each way. Artifacts and exports go into --work. `--parts`,
`--networks` and `--sides` measure some again and keep the others, each row with its commit, weights and threads; the
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

from benchmarks.inference import bars, compiling, journeys
from benchmarks.inference.arms import BEST, COMPILED, PYTORCH, Way, alike, exported_way, pytorch_way
from benchmarks.inference.peak import peak_of
from benchmarks.inference.subjects import EAGER, Subject, proven, subjects
from benchmarks.inference.timing import CLOCKS, interleaved, told
from benchmarks.record import command, instructions, machine
from ganstyle.backends.likeness import psnr
from ganstyle.backends.model import threads
from ganstyle.export.pictures import photograph
from ganstyle.stylize.choose import choose
from ganstyle.stylize.memory import free_memory
from ganstyle.training.provenance import commit

ROUNDS = {256: 15, 512: 9, 1024: 5, 2048: 3}
"""By side of the picture, in pixels."""
CHOSEN_AT, CHOSEN_IN = 512, 5
"""The side at which the best PyTorch is chosen, and in how many rounds."""
BYTES_PER_PIXEL = 1500
"""More than eager PyTorch takes; a size that would not fit into the free memory is left out."""
STARTS, FOLDER_ROUNDS, FOLDER_PICTURES = 7, 9, 12
LIGHT, LARGE = "light", "resnet9"


class Session:
    """What all parts share: networks, pictures, and what was measured before."""

    def __init__(self, words: argparse.Namespace, result: dict[str, Any]) -> None:
        self.work: Path = words.work
        self.photographs = sorted(words.photographs.glob("*.png"))
        self.calibrate: Path = words.calibrate
        self.sides: list[int] = words.sides or list(ROUNDS)
        given = {LIGHT: Path("examples/models/vangogh")} | dict(_pair(word) for word in words.trained)
        self.subjects: list[Subject] = subjects(words.work, given)
        self.chosen = [subject for subject in self.subjects if subject.name in (words.networks or [subject.name])]
        self.rounds: int | None = words.rounds
        self.clock: str = words.clock
        self.result = result

    def parity(self) -> None:
        """Export every network every way; what the reports say, and which file `auto` takes."""
        self.result["networks"] = {subject.name: subject.described() for subject in self.subjects}
        self._keep("parity", [report for subject in self.chosen for report in proven(subject, self.calibrate)])
        self.result["auto"] = {
            subject.name: subject.arm(choose(subject.folder, "auto").path) for subject in self.subjects
        }

    def best(self) -> None:
        """Find the fastest way of PyTorch that paints what eager does; compiling has a limit."""
        found = {subject.name: self._candidates(subject) for subject in self.chosen}
        self.result["pytorch"] = self.result.get("pytorch", {}) | found

    def rows(self) -> None:
        """Time every network in every way and size."""
        self._keep("rows", [row for subject in self.chosen for row in self._rows(subject)])

    def memory(self) -> None:
        """Measure every way's memory, each in a process of its own."""
        found = []
        for subject in self.chosen:
            places = {arm: (subject.folder, way) for arm, way in self._pytorch(subject).items()}
            places |= {arm: (subject.file(arm), arm) for arm in subject.arms}
            for side in self._sides():
                for arm, (place, way) in places.items():
                    found.append({"network": subject.name, "side": side, "arm": arm} | peak_of(place, way, side))
        self._keep("memory", found)

    def deployment(self) -> None:
        """Time the light generator in int8 in turns with the eager ResNet-9."""
        light, large = (self._subject(name) for name in (LIGHT, LARGE))
        image = photograph(self.photographs[0], CHOSEN_AT, CHOSEN_AT)
        ways = {"eager resnet9": partial(pytorch_way(large, EAGER), image)}
        ways["light int8"] = partial(exported_way(light, "openvino int8"), image)
        taken = interleaved(ways, self.rounds or ROUNDS[CHOSEN_AT], CLOCKS[self.clock])
        self.result["deployment"] = {"clock": self.clock} | told(taken, "eager resnet9")["light int8"]

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

    def _rows(self, subject: Subject) -> list[dict[str, Any]]:
        ways: dict[str, Way] = {arm: pytorch_way(subject, way) for arm, way in self._pytorch(subject).items()}
        ways |= {arm: exported_way(subject, arm) for arm in subject.arms}
        found = []
        for side in self._sides():
            image = photograph(self.photographs[0], side, side)
            calls = {name: partial(way, image) for name, way in ways.items()}
            wanted = calls[EAGER]()
            near = {name: round(psnr(call(), wanted), 1) for name, call in calls.items()}
            rounds = self.rounds or ROUNDS[side]
            times = told(interleaved(calls, rounds, CLOCKS[self.clock], warm_up=0), EAGER)  # all have painted once
            head = {"network": subject.name, "side": side, "clock": self.clock}
            found += [head | {"arm": name} | row | {"psnr": near[name]} for name, row in times.items()]
            print(json.dumps(found[-len(times) :]), flush=True)
        return found

    def _keep(self, part: str, rows: list[dict[str, Any]]) -> None:
        """Put rows in the place of older ones of the same networks and sides; those of other weights go."""
        names = [subject.name for subject in self.subjects]
        weights = {subject.name: subject.described()["weights_sha256"][:12] for subject in self.subjects}
        here = {"commit": commit(), "threads": threads()}
        fresh = {_place(row) for row in rows}
        older = [
            row
            for row in self.result.get(part, [])
            if _place(row) not in fresh and row["weights"] == weights.get(row["network"])
        ]
        rows = older + [row | here | {"weights": weights[row["network"]]} for row in rows]
        self.result[part] = sorted(rows, key=lambda row: (names.index(row["network"]), row.get("side", 0)))

    def _candidates(self, subject: Subject) -> dict[str, Any]:
        image = photograph(self.photographs[0], CHOSEN_AT, CHOSEN_AT)
        compiled = {name: compiling.seconds(subject.folder, name, CHOSEN_AT) for name in COMPILED}
        names = [*PYTORCH, *(name for name, taken in compiled.items() if taken is not None)]
        ways = {name: partial(pytorch_way(subject, name), image) for name in names}
        wanted = ways[EAGER]()
        good = {name: way for name, way in ways.items() if alike(name, way(), wanted)}
        times = told(interleaved(good, CHOSEN_IN, CLOCKS[self.clock]), EAGER)
        fastest = max((name for name in times if name != EAGER), key=lambda name: times[name]["times_as_fast"])
        return {
            "best": fastest,
            "ways": times,
            "not_alike": sorted(set(ways) - set(good)),
            "seconds_to_compile": compiled,
            "limit_of_seconds": compiling.LIMIT,
        }

    def _pytorch(self, subject: Subject) -> dict[str, str]:
        """The arms of PyTorch, and what each is; the best, where it was found."""
        found = self.result.get("pytorch", {}).get(subject.name)
        return {EAGER: EAGER} | ({BEST: found["best"]} if found else {})

    def _folder_arms(self, subject: Subject) -> list[str]:
        """OpenVINO's bf16, and what `auto` takes where that is another."""
        return sorted({"openvino bf16", self.result["auto"][subject.name]} & set(subject.arms))

    def _subject(self, name: str) -> Subject:
        return next(subject for subject in self.subjects if subject.name == name)

    def _sides(self) -> list[int]:
        return [side for side in self.sides if BYTES_PER_PIXEL * side**2 < free_memory()]


PARTS: Mapping[str, Callable[[Session], None]] = {
    "parity": Session.parity,
    "best": Session.best,
    "rows": Session.rows,
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
    parser.add_argument("--sides", nargs="+", type=int, choices=ROUNDS, help="in pixels; the same")
    parser.add_argument("--rounds", type=int, help=f"of every row, in place of {ROUNDS}")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="processor, where one processor is shared")
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
        "commands": list(dict.fromkeys([*result.get("commands", []), command("benchmarks.inference_speed")])),
        "machine": machine(),
        "torch": torch.__version__,
        "instructions": instructions(),
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


def _place(row: Mapping[str, Any]) -> tuple[str, int | None]:
    return row["network"], row.get("side")


def _pair(word: str) -> tuple[str, Path]:
    name, _, path = word.partition("=")
    return name, Path(path)


if __name__ == "__main__":
    main()
