"""A search over configurations: Optuna asks and is told, every trial is a `python train.py` of its own."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cached_property
from threading import Event

import optuna
from optuna.storages import BaseStorage
from optuna.trial import Trial, TrialState

from ganstyle.errors import TrainingError
from ganstyle.training import claims, trial
from ganstyle.training.search import overrides_of
from ganstyle.training.study import REASON, RUN, TRIALS, Plan, counted, distributions, sampler, storage, words
from ganstyle.training.trial import Ended, Order, Points

CHILD = "child"
"""Attribute of a trial: the number of the process that trains it."""
HOPELESS = 3
"""Trials that may fail before any other ends, until the sweep stops to say so."""
STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
Tell = Callable[[str], None]


class Sweep:
    """Works on the trials of a study until there are enough, or it is stopped.

    Args:
        plan: what is searched, and where.
        study: as `opened` returned it.
        tell: takes a line for every trial that ends.
    """

    def __init__(self, plan: Plan, study: optuna.Study, tell: Tell = print) -> None:
        self.plan, self.study, self.tell = plan, study, tell
        self.space = distributions(plan.search.space)
        self.stop = Event()
        self.signal = 0
        self._failed = self._ended = 0

    @cached_property
    def storage(self) -> BaseStorage:
        """What keeps the study."""
        return storage(self.plan)

    def run(self) -> int:
        """Work; return the signal that ended it, or 0.

        Raises:
            TrainingError: the first trials all failed, or a folder stays taken.
        """
        with self._signals(), ThreadPoolExecutor(self.plan.workers) as pool:
            futures = [pool.submit(self._work, number) for number in range(self.plan.workers)]
            try:
                while (state := wait(futures, timeout=0.5, return_when=FIRST_EXCEPTION)).not_done:
                    if any(future.exception() for future in state.done):
                        self.stop.set()
            finally:
                self.stop.set()
            for future in futures:
                future.result()
        return self.signal

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the trials at hand, which save and wait for the next start."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._remember) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, _: object) -> None:
        self.signal = number
        self.stop.set()

    def _work(self, worker: int) -> None:
        while not self.stop.is_set():
            if (asked := self._next()) is None:
                return
            self._try(asked, worker)

    def _next(self) -> Trial | None:
        """Claim a trial that waits since it was interrupted, or begin a new one; None when there are enough."""
        with claims.alone(self.plan.folder):
            claims.put_aside_unasked(self.study, self.storage, self.space)
            claims.free_orphans(self.study, self.storage)
            trials = counted(self.study)
            waiting = [one.number for one in trials if one.state == TrialState.WAITING]
            before = sum(one.number < min(waiting) for one in trials) if waiting else len(trials)
            if before >= self.plan.search.trials:
                return None
            self.study.sampler = sampler(self.plan.search, before)  # killed while asking, it asks afresh for the same
            asked = self.study.ask(self.space)
            if sum(one.number < asked.number for one in counted(self.study)) >= self.plan.search.trials:
                self._give_back(asked)
                return None
            claims.claim(asked)
            return asked

    def _give_back(self, asked: Trial) -> None:
        """Let a trial too many wait for more trials if it was ever claimed; a new one counts for nothing."""
        leave = claims.set_free if claims.OWNER in asked.user_attrs else claims.put_aside
        leave(self.study, self.storage, asked.number)

    def _try(self, asked: Trial, worker: int) -> None:
        order = self._order(asked, worker)
        asked.set_user_attr(RUN, str(order.folder))
        left = asked.user_attrs.get(CHILD)
        trial.await_free(order.folder, left)
        process = trial.start(order)
        asked.set_user_attr(CHILD, process.pid)
        ended = trial.attend(order, process, self.stop, Watch(asked), self.plan.poll)
        self._close(asked, ended)

    def _order(self, asked: Trial, worker: int) -> Order:
        plan = self.plan
        name = f"{asked.number:04d}"
        environment = {}
        if plan.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = plan.gpus[worker % len(plan.gpus)]
        if plan.workers > 1 and "OMP_NUM_THREADS" not in os.environ:
            environment["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // plan.workers))
        return Order(
            words=(*words(plan), *overrides_of(asked.params)),
            folder=(plan.folder / TRIALS / name).resolve(),
            log=plan.folder / "logs" / f"{name}.log",
            score=plan.search.score,
            program=plan.program,
            environment=environment,
        )

    def _close(self, asked: Trial, ended: Ended) -> None:
        """Tell the study how a trial ended; an interrupted one waits for the next start."""
        if ended.how == "interrupted":
            with claims.alone(self.plan.folder):
                claims.set_free(self.study, self.storage, asked.number)
            return
        if ended.how == "failed":
            asked.set_user_attr(REASON, ended.reason)
        self.study.tell(asked, ended.score if ended.how == "complete" else None, state=STATES[ended.how])
        self.tell(self._told(asked, ended))
        self._give_up_if_hopeless(ended)

    def _told(self, asked: Trial, ended: Ended) -> str:
        search = self.plan.search
        done = sum(one.state.is_finished() for one in counted(self.study))
        score = "" if ended.score is None else f", {search.score} {ended.score:.4g}"
        reason = f" ({ended.reason})" if ended.reason else ""
        varied = " ".join(overrides_of(asked.params))
        return f"trial {asked.number} {ended.how}{score}{reason}; {done} of {search.trials} done: {varied}"

    def _give_up_if_hopeless(self, ended: Ended) -> None:
        self._ended += 1
        self._failed += ended.how == "failed"
        if self._failed == self._ended == HOPELESS:
            raise TrainingError(
                f"the first {HOPELESS} trials all failed, the last one with {ended.reason}; what they said is in "
                f"{self.plan.folder / 'logs'}. The same command goes on with the trials that are left."
            )


class Watch:
    """Reports the scores of a running trial, and says when to end it.

    Args:
        asked: the trial.
    """

    def __init__(self, asked: Trial) -> None:
        self.asked = asked
        kept = asked.study.get_trials(deepcopy=False)[asked.number]
        self._reported = {int(images) for images in kept.intermediate_values}
        self._beaten = time.monotonic()

    def __call__(self, points: Points) -> bool:
        """Report what is new, and return whether the trial is not worth its time."""
        if time.monotonic() - self._beaten > claims.EVERY:
            self._beaten = time.monotonic()
            claims.beat(self.asked)
        new = sorted(points.keys() - self._reported)
        for images in new:
            self.asked.report(points[images], images)
            self._reported.add(images)
        return bool(new) and bool(self.asked.should_prune())
