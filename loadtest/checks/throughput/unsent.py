"""Unsent: what the plan had due in the window and nobody sent, because the users awaited answers."""

from dataclasses import dataclass

import polars as pl

from loadtest.checks.lateness import PLANNED_NS
from loadtest.checks.records import NS_A_MS, TrialRecords, Window
from loadtest.ledger.record import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """What the generators recorded as the window ended."""

    is_planned: bool
    """Whether the users follow a plan at all; without a rate each of them sends when its answer has come."""
    overdue: int
    """Messages that were due by the window's end and were not sent by then."""
    messages: int
    """Those of them that were not sent later either."""
    first_due_ns: int
    """When the first of the overdue ones was due; the window's end where there are none."""


def unsent_of(trial: TrialRecords, window: Window) -> Unsent:
    """Return what was due in the window and not sent."""
    noted = trial.client_events(Event.UNSENT)
    overdue = int(noted["value"].sum())
    is_late = (pl.col("time_ns") > window.end_ns) & PLANNED_NS.is_between(window.start_ns, window.end_ns)
    late = trial.sent.filter(is_late).height
    longest_ms = noted["argument"].cast(pl.Int64).to_list() if overdue else []
    return Unsent(
        is_planned=not noted.is_empty(),
        overdue=overdue,
        messages=max(0, overdue - late),
        first_due_ns=window.end_ns - max(longest_ms, default=0) * NS_A_MS,
    )
