"""Running: the cases of a self-test, several at a time, each in a trial of the bench's own making."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType

from loadtest.bench.trial import TrialFailed, TrialSetup, run_trial
from loadtest.checks.dropped import SEND_RAISED
from loadtest.selftest.bare_layer import run_bare_layer
from loadtest.selftest.cases import BARE_LAYER, Case
from loadtest.selftest.figures import CALLED_THEN_RAISED, Figures, cause_figure, left_figure, read_figures
from loadtest.selftest.truth import read_truth
from loadtest.selftest.verdicts import Outcome, judge
from loadtest.targets import PreparedTarget
from loadtest.targets.reference import ReferenceApp

_NO_ADDRESSES: Mapping[str, str] = MappingProxyType({})

AT_A_TIME = (os.cpu_count() or 1) + 1
"""A case spends two thirds of its time waiting, and its figures are counts, which a busy machine does not change."""

TRIES = 3
"""A trial in which Channels itself did what was to be planted is run again; three in a row are no accident."""

_BY_ITSELF = (
    cause_figure(SEND_RAISED),
    CALLED_THEN_RAISED,
    left_figure("orphaned layer queues"),
    left_figure("orphaned layer subscriptions"),
    "subscriptions_left",
)
"""What comes of a message that is under way to a client in the very moment it goes (django/channels#1466): the send
raises, or the message or the subscription to its channel stays in the layer. Rare under a light load, true, and not
what was planted."""


def run_cases(
    cases: Sequence[Case], folder: Path, *, addresses: Mapping[str, str] = _NO_ADDRESSES, at_a_time: int = AT_A_TIME
) -> Iterator[Outcome]:
    """Run each case and give its outcome as soon as there is one; logs and ledgers go to `folder`, which must exist.

    Raises EnvironmentFailed when something cannot be started; the cases that are under way are brought to their end.
    """
    target = ReferenceApp().prepare(folder)
    # Threads and not processes: a trial is processes already, and what it starts must die with the thread at the latest
    with ThreadPoolExecutor(at_a_time, thread_name_prefix="case") as pool:
        futures = [pool.submit(run_case, case, folder, target, addresses) for case in cases]
        try:
            yield from map(Future.result, as_completed(futures))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def run_case(case: Case, folder: Path, target: PreparedTarget, addresses: Mapping[str, str]) -> Outcome:
    """Run one case, again where Channels itself disturbed it, and compare. Raises EnvironmentFailed."""
    own = folder / f"{case.consumer}-{case.layer}"
    if case.consumer == BARE_LAYER:
        own.mkdir()
        return run_bare_layer(case, own, addresses)
    setup = TrialSetup(plan=case.load, target=target, addresses=addresses)
    for number in range(1, TRIES + 1):
        try:
            records = run_trial(case.trial, setup, own / str(number)).records
        except TrialFailed as error:
            return Outcome(case=case, verdict="failed", says=(str(error),))
        figures = read_figures(records)
        outcome = judge(case, read_truth(records.client), figures)
        if outcome.is_good or not _is_disturbed(figures):
            break
    return outcome


def _is_disturbed(figures: Figures) -> bool:
    return any(figures.get(name) for name in _BY_ITSELF)
