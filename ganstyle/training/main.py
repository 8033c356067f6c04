"""The entry of `train.py`: Hydra composes, a run trains, and a mistake is told in one sentence."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle.errors import ConfigError, TrainingError
from ganstyle.training.allocator import keep_freed_memory

if TYPE_CHECKING:
    from omegaconf import DictConfig

DEBUG = "--debug"


def main() -> int:
    """Run Hydra on the command line; return the exit code: 0, 2 for a mistake, 128 + n for signal n."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # hand exceptions on instead of printing them
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # on a busy machine, threads that spin cost several steps
    keep_freed_memory()
    debug = DEBUG in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != DEBUG]
    from ganstyle.training import mistakes
    from ganstyle.training.owned import end_with_owner

    end_with_owner()
    try:
        return _hydra()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        sentence = mistakes.sentence(error)
        if sentence is None or debug:
            raise
        if _is_first() or not mistakes.is_everybodys(error):
            print(f"train.py: {sentence}", file=sys.stderr)
        return 2


def _hydra() -> int:
    import hydra
    from omegaconf import DictConfig, OmegaConf

    from ganstyle.training import folder

    OmegaConf.register_new_resolver("run_folder", folder.choose, replace=True)
    codes: list[int] = []
    errors: list[Exception] = []

    @hydra.main(  # type: ignore[untyped-decorator]
        version_base="1.3", config_path=str(folder.conf_folder()), config_name="train"
    )
    def job(config: DictConfig) -> float | None:
        if _is_elsewhere():
            return _job_elsewhere(config)
        try:
            score, code = _job(config)
        except Exception as error:  # a failed trial does not end the sweep
            errors.append(error)
            return None
        codes.append(code)
        if code > 128:
            sys.exit(code)  # a signal ends a sweep, not only the trial at hand
        return score

    job()
    if errors:
        raise errors[0]
    return max(codes, default=0)


def _is_elsewhere() -> bool:
    """Whether a trial was sent to a process or machine of its own, by another launcher than Hydra's basic one."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra = HydraConfig.get()
    return hydra.mode == RunMode.MULTIRUN and not str(hydra.launcher._target_).endswith("BasicLauncher")


def _job_elsewhere(config: "DictConfig") -> float | None:
    """Train a trial whose only way to tell the sweep that it failed is an exception, which must travel.

    Raises:
        TrainingError: the trial failed or was ended; the message is the sentence that the trial's own log holds too.
    """
    from ganstyle.training import mistakes

    try:
        score, code = _job(config)
    except Exception as error:
        if (sentence := mistakes.sentence(error)) is None:
            raise
        print(f"train.py: {sentence}", file=sys.stderr, flush=True)
        raise TrainingError(sentence) from None
    if code:
        raise TrainingError(f"a trial ended with exit code {code}; what it said is in its launcher's log.")
    return score


def _job(config: "DictConfig") -> tuple[float | None, int]:
    """Train one configuration; a trial of a sweep over several devices gets a process of its own."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from ganstyle.training import folder

    _refuse_search(config)
    hydra = HydraConfig.get()
    if hydra.mode == RunMode.MULTIRUN and config.resume not in (None, "", folder.LAST):
        raise ConfigError(f"resume={config.resume} goes on with one run, but -m begins several; resume it without -m.")
    overrides, path = list(hydra.overrides.task), Path(hydra.runtime.output_dir)
    devices = config.trainer.devices * config.trainer.nodes
    if hydra.mode == RunMode.MULTIRUN and devices > 1:
        return None, _in_own_process(overrides, path)
    from ganstyle.training.run import run

    outcome = run(config, path, overrides)
    if outcome.signal:
        return None, 128 + outcome.signal if _is_first() else 0
    return objective(config, outcome.scores), 0


def _refuse_search(config: "DictConfig") -> None:
    if "search" in config:
        raise ConfigError(
            "sweep=... names a search space, which `ganstyle sweep` takes with the same words; a grid goes with -m."
        )


def _is_first() -> bool:
    from ganstyle.training.launcher import process_number

    return process_number() == 0


def _in_own_process(overrides: list[str], path: Path) -> int:
    """Launch a trial as its own command: ranks that a sweep's process starts would see the whole sweep's overrides."""
    from ganstyle.training.launcher import is_one_of_several
    from ganstyle.training.trial import awaited, begun, run_in, train_program

    if is_one_of_several():
        raise ConfigError(
            "a grid (-m) starts the ranks of each trial by itself, but srun or torchrun began several processes of it; "
            "begin it once, without them."
        )
    return awaited(begun([*train_program(), *overrides, *run_in(path)], path))


def objective(config: "DictConfig", scores: Mapping[str, float]) -> float | None:
    """Return the score that a sweep minimizes: `objective` names it, with a minus sign before one to be maximized."""
    if not config.objective:
        return None
    name = str(config.objective)
    sign, key = (-1.0, name[1:]) if name.startswith("-") else (1.0, name)
    if key not in scores:
        raise ConfigError(
            f"objective={name} is not a score of this run; there is {', '.join(sorted(scores)) or 'none yet'}."
        )
    return sign * scores[key]


if __name__ == "__main__":
    sys.exit(main())
