"""Demand: what the plan asked of the server, what it answered, and whether it was asked for more than it can do.

A server that is asked for less than it can do works off its queue again and again: some message finds it empty and
comes almost as fast as on an idle server. One that is asked for more has a queue that never empties, so that even the
fastest message waits (a standing queue; Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012, tell a
good queue from a bad one by its minimum too). A layer that drops what does not fit keeps such a queue at its capacity.
"""

from dataclasses import dataclass

import polars as pl

from loadtest.checks.lateness import PLANNED_NS
from loadtest.checks.pairs import Pairs, is_planned_in
from loadtest.checks.records import NS_A_MS, NS_A_S, TrialRecords, Window
from loadtest.checks.throughput.unsent import Unsent
from loadtest.ledger.record import Event

STANDING_MS = 100.0
"""What even the fastest message had to wait in the last third of the window. At 80 % load it is some ms; at 110 % the
queue is as long after a second."""
LAST_PART = 1 / 3
BEHIND = 0.25
"""Share of what was due in the window that is still under way at its end: where one of several workers is overloaded,
the others' messages are fast."""

LONGEST_PART = 0.5
"""Of the window: no longer than this is what is under way at its end as on an idle server, however slow the fastest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What was asked, and what came of it."""

    offered: int
    answered: int
    backlog: int
    is_overloaded: bool


def demand_of(trial: TrialRecords, window: Window, pairs: Pairs, unsent: Unsent) -> Demand:
    """Return what the plan had due in the window, and what became of it."""
    due = pairs.due(is_planned_in(window))
    backlog = _under_way(pairs, due, window) + unsent.overdue
    return Demand(
        offered=_planned(trial, window) + unsent.messages,
        answered=_answered(due),
        backlog=backlog,
        is_overloaded=unsent.is_planned and _is_overloaded(trial, window, pairs, due, backlog / max(1, due.height)),
    )


def _planned(trial: TrialRecords, window: Window) -> int:
    """Count the messages that were planned in the window and sent, or tried to be."""
    return trial.client_events(Event.SENT).filter(PLANNED_NS.is_between(window.start_ns, window.end_ns)).height


def _answered(due: pl.DataFrame) -> int:
    """Count the messages that came to every member that they were meant for."""
    return due["message"].n_unique() - due.filter(~pl.col("delivered"))["message"].n_unique()


def _under_way(pairs: Pairs, due: pl.DataFrame, window: Window) -> int:
    """Count what arrived after the window, or may still have been coming when the trial ended; not what is lost."""
    left_ns = window.end_ns - pairs.each("planned_ns", due)
    return due.filter((pl.col("took_ns") > left_ns) & ~pl.col("lost")).height


def _is_overloaded(trial: TrialRecords, window: Window, pairs: Pairs, due: pl.DataFrame, behind: float) -> bool:
    fastest_ns = _fastest_ns(trial, window, due)
    last_ns = window.end_ns - LAST_PART * (window.end_ns - window.start_ns)
    last = pairs.due(pl.col("planned_ns").is_between(last_ns, window.end_ns)).filter("delivered")
    standing_ns = _least_ns(last["took_ns"], default=fastest_ns) - fastest_ns
    always_behind = min(fastest_ns / NS_A_S / window.duration_s, LONGEST_PART)
    return standing_ns > STANDING_MS * NS_A_MS or behind - always_behind > BEHIND


def _fastest_ns(trial: TrialRecords, window: Window, due: pl.DataFrame) -> int:
    """Return what the fastest message of the trial took, warm-up included: about what an idle server takes."""
    early = trial.received.filter(pl.col("time_ns") < window.start_ns).select("value", came_ns="time_ns")
    warm_up = trial.sent.select("value", planned_ns=PLANNED_NS).join(early, on="value")
    took_ns = [warm_up.select(pl.col("came_ns") - pl.col("planned_ns")).to_series(), due.filter("delivered")["took_ns"]]
    return _least_ns(pl.concat(took_ns), default=0)


def _least_ns(took_ns: pl.Series, *, default: int) -> int:
    least = took_ns.min()
    return least if isinstance(least, int) else default
