"""Plant faults and see whether the watch names them, and whether it is silent where there are none.

python -m benchmarks.planted_faults --output benchmarks/results/planted_faults.json --processes 16

Every fault of the table below is planted in games of `toy_game`, the methods taking turns over the seeds; a fault is
named when one of the verdicts accepted for it comes within 500 iterations. Healthy games of every method that has
losses of its own are watched as long; a run with any verdict is a false alarm. The teacher of the distilled ones is the
shipped Van Gogh. The watch, its limits and all intervals are those of conf.
`--runs FILE` keeps every run as a line, and a second start goes on where the first ended.
"""

import argparse
import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from benchmarks import sabotage
from benchmarks.record import machine
from benchmarks.sabotage import Sabotage
from benchmarks.toy_game import BATCH, METHODS, SIDE, VARIANTS, Game, composed
from ganstyle.training.collapse import NonFiniteError
from ganstyle.training.folder import conf_folder
from ganstyle.training.provenance import commit
from ganstyle.training.watch.held_out import HeldOut
from ganstyle.training.watch.monitor import Monitor
from ganstyle.training.watch.verdict import Verdict
from ganstyle.training.watch.verdicts import broken

ITERATIONS = 500
ALL = ("pix2pix", "cyclegan", "cut", "perceptual_gan")
"""The methods that faults are planted in; the others of `METHODS` play healthy games only."""
UNPAIRED = ("cyclegan", "cut", "perceptual_gan")
HEALTHY = "healthy"
ABLE_TO_COPY = (
    "generator.depth=2",
    "generator.channels=16",
    "generator.norm=none",
    "system.optimizers.generator.lr=0.01",
)
"""The small generator of the other games never learns to copy a picture, however much weight the identity has."""


class Fault(NamedTuple):
    """Something wrong with a game, and what it may be called."""

    accepted: tuple[str, ...]
    methods: tuple[str, ...] = ALL
    overrides: tuple[str, ...] = ()
    sabotage: Sabotage = sabotage.nothing


FAULTS: Mapping[str, Fault] = {
    "frozen generator": Fault(("discriminator-won",), overrides=("system.optimizers.generator.lr=0",)),
    "generator's learning rate x 1000": Fault(
        ("discriminator-won", "exploding-gradients", "vanishing-gradients"),
        overrides=("system.optimizers.generator.lr=1",),
    ),
    "frozen discriminator": Fault(
        ("generator-won",),
        ("cyclegan", "cut"),  # perceptual_gan has better to do than to fool: its style weighs more
        ("system.optimizers.discriminator.lr=0",),
    ),
    "discriminator's learning rate x 100": Fault(
        ("discriminator-won", "generator-won", "exploding-gradients", "mode-collapse"),
        UNPAIRED,  # pix2pix recovers: its l1 weighs a hundred times as much
        ("system.optimizers.discriminator.lr=0.1",),
    ),
    "generator that is shown the same noise for every source": Fault(("mode-collapse",), sabotage=sabotage.blind),
    "weight of the identity x 1000": Fault(
        ("identity-collapse",),
        ("cyclegan",),  # perceptual_gan asks it of paintings only, and learns to keep those and to paint photographs
        ("system.weights.generator.identity=1000", *ABLE_TO_COPY),
    ),
    "generator that adds next to nothing to its source": Fault(("identity-collapse",), sabotage=sabotage.idle),
    "generator of one color a picture": Fault(("constant-output",), sabotage=sabotage.colorblind_to_place),
    "generator that starts white": Fault(("constant-output", "vanishing-gradients"), sabotage=sabotage.saturated),
    "discriminator that starts from weights x 30": Fault(
        ("exploding-gradients", "generator-won"), UNPAIRED, sabotage=sabotage.enlarged("discriminator", 30.0)
    ),
    "discriminator that starts from weights x 300": Fault(
        ("exploding-gradients",), sabotage=sabotage.enlarged("discriminator", 300.0)
    ),
    "terms of the generator that weigh x 1000 from the middle on": Fault(
        ("exploding-gradients",), sabotage=sabotage.heavier_from(250 * BATCH, "generator", 1000.0)
    ),
    "generator whose gradient is cut off": Fault(("vanishing-gradients",), sabotage=sabotage.cut_off("generator")),
    "weight of the generator that becomes no number": Fault(
        ("non-finite",), sabotage=sabotage.broken_from(250 * BATCH)
    ),
    "generator that answers with training pictures": Fault(("memorising",), sabotage=sabotage.by_heart),
    "data set of one picture": Fault(("data-starved",), overrides=("data.scenes=1",)),
    "data set of four pictures": Fault(("data-starved", "memorising"), overrides=("data.scenes=4",)),
}


class Task(NamedTuple):
    """One run: a fault, or none, in a game of a method."""

    fault: str
    method: str
    seed: int


def main() -> None:
    """Play all games and write one results file."""
    arguments = _arguments()
    runs = played(tasks(arguments.seeds, arguments.healthy), arguments.processes, arguments.runs)
    result = report(runs) | {
        "command": f"python -m benchmarks.planted_faults --seeds {_told(arguments.seeds)} "
        f"--healthy {_told(arguments.healthy)}",
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "limits": asdict(instantiate(common()["limits"])),
        "limits of its own": {method: changed for method in METHODS if (changed := _changed(method))},
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def tasks(seeds: Sequence[int], healthy: Sequence[int]) -> list[Task]:
    """List all runs: for each fault a method a seed, in turns; healthy ones of every method for each seed."""
    planted = [Task(name, f.methods[seed % len(f.methods)], seed) for seed in seeds for name, f in FAULTS.items()]
    return [*planted, *(Task(HEALTHY, method, seed) for seed in healthy for method in METHODS)]


def played(asked: Sequence[Task], processes: int, kept: Path | None) -> list[dict[str, Any]]:
    """Play what was not played before, on several processes, keeping every run as a line where asked."""
    lines = kept.read_text().splitlines() if kept and kept.exists() else []
    runs = {Task(run["fault"], run["method"], run["seed"]): run for run in map(json.loads, lines)}
    left = [task for task in asked if task not in runs]
    for run in _results(left, processes):
        runs[Task(run["fault"], run["method"], run["seed"])] = run
        if kept is not None:
            with kept.open("a") as file:
                file.write(json.dumps(run) + "\n")
    return [runs[task] for task in asked]


def _results(left: Sequence[Task], processes: int) -> Iterator[dict[str, Any]]:
    """Yield the runs as they end."""
    if processes == 1:
        yield from map(play, left)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play, task) for task in left]):
            yield done.result()


def play(task: Task) -> dict[str, Any]:
    """Play one run, and return at which iteration each verdict came first, with the evidence of every look."""
    torch.set_num_threads(1)
    fault = Fault(()) if task.fault == HEALTHY else FAULTS[task.fault]
    game = Game(composed(task.method, ITERATIONS, task.seed, fault.overrides))
    fault.sabotage(game)
    monitor = watch(game)
    named: dict[str, int] = {}
    for verdict in seen(game, monitor):
        named.setdefault(verdict.name, verdict.images_seen // BATCH)
        if verdict.name in fault.accepted:
            break
    return {**task._asdict(), "named": named, "history": [evidence.plain() for evidence in monitor.history]}


def watch(game: Game) -> Monitor:
    """Watch a game as the callback would."""
    health = watched(game.config)
    sizes = {name: health[name] for name in ("sample_every", "crowd", "known")}
    held_out = HeldOut(game.problem.val, health["held_out"], game.config.trainer.batch_size)
    monitor = Monitor(game.system, held_out, instantiate(health["limits"]), **sizes)
    game.system.witness = monitor
    return monitor


def seen(game: Game, monitor: Monitor) -> Iterator[Verdict]:
    """Play the game to its end and yield the verdicts as they come."""
    every = watched(game.config)["every"]
    try:
        for system in game.steps():
            if monitor.batches % every == 0 or system.images_seen == system.total_images:
                yield from monitor.watch()
    except NonFiniteError as error:
        yield broken(game.system.images_seen, error)


def watched(config: DictConfig) -> Any:
    """Return what conf says of the watch, by default for methods that it turns the watch off for."""
    return config.callbacks.health or common()


def common() -> Any:
    """Return what conf says of the watch before a method says more."""
    return OmegaConf.load(conf_folder() / "callbacks" / "health" / "default.yaml")


def _changed(method: str) -> dict[str, float]:
    """Which limits of a method are its own."""
    own, usual = watched(composed(method, 1, seed=0))["limits"], common()["limits"]
    return {name: value for name, value in own.items() if value != usual[name]}


def report(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count the named faults and the false alarms."""
    faults = {name: _fault(fault, [run for run in runs if run["fault"] == name]) for name, fault in FAULTS.items()}
    healthy = {m: _healthy([r for r in runs if r["fault"] == HEALTHY and r["method"] == m]) for m in METHODS}
    planted, watched = sum(f["runs"] for f in faults.values()), sum(h["runs"] for h in healthy.values())
    named, alarms = sum(f["named"] for f in faults.values()), sum(h["false alarms"] for h in healthy.values())
    return {
        "protocol": f"{ITERATIONS} iterations in batches of {BATCH} at {SIDE} px; a fault is named when an accepted "
        "verdict comes, a healthy run with any verdict is a false alarm",
        "named": f"{named} of {planted}",
        "false alarms": f"{alarms} of {watched}",
        "played": f"faults in {', '.join(ALL)}; healthy games of {', '.join(METHODS)}; not played, because they weigh "
        f"the losses of another method only: {', '.join(f'{name} (of {of})' for name, of in VARIANTS.items())}; "
        f"watched here, though conf turns the watch off for them: {', '.join(unwatched())}",
        "faults": faults,
        "healthy": healthy,
    }


def unwatched() -> list[str]:
    """Name the methods for which conf turns the watch off."""
    return [method for method in METHODS if composed(method, 1, seed=0).callbacks.health is None]


def _fault(fault: Fault, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say how often a fault was named, when, and what else it was called before."""
    at = [
        min(run["named"][name] for name in fault.accepted if name in run["named"]) for run in runs if _hit(fault, run)
    ]
    other = Counter(name for run in runs for name in run["named"] if name not in fault.accepted)
    return {
        "accepted": list(fault.accepted),
        "methods": list(fault.methods),
        "runs": len(runs),
        "named": len(at),
        "iteration (median, last)": [round(median(at)), max(at)] if at else None,
        "verdicts": dict(Counter(name for run in runs for name in run["named"] if name in fault.accepted)),
        "also called before": dict(other),
        "missed": [f"{run['method']} {run['seed']}" for run in runs if not _hit(fault, run)],
    }


def _hit(fault: Fault, run: Mapping[str, Any]) -> bool:
    return any(name in run["named"] for name in fault.accepted)


def _healthy(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    alarmed = [run for run in runs if run["named"]]
    return {
        "runs": len(runs),
        "false alarms": len(alarmed),
        "verdicts": {f"seed {run['seed']}": run["named"] for run in alarmed},
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=_seeds, default=range(200, 220), help="of the planted faults, e.g. 200:220")
    parser.add_argument("--healthy", type=_seeds, default=range(200, 240), help="of the healthy runs")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--runs", type=Path, help="keep every run as a line here")
    return parser.parse_args()


def _seeds(text: str) -> range:
    first, _, end = text.partition(":")
    return range(int(first), int(end))


def _told(seeds: range) -> str:
    return f"{seeds.start}:{seeds.stop}"


if __name__ == "__main__":
    main()
