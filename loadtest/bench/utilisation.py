"""Utilisation: how busy a trial kept what is nearest to its limit, and what that is."""

from dataclasses import dataclass

from loadtest.checks.throughput.table import LOOP_BUSY, RECEIVED, SENT, SYNC_THREAD_BUSY, UTILISATION
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.report.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """What was busiest in a trial, and for which share of the time: 1 is all the time."""

    what: str
    share: float


def utilisation_of(tables: Tables) -> Busy | None:
    """Return the utilisation in a trial, from its row of throughput.csv; None where it is not known."""
    (row,) = tables[THROUGHPUT].iter_rows(named=True)
    largest = row[UTILISATION.name]
    if largest is None:
        return None
    of_server = {"event loop": row[LOOP_BUSY.name], "sync thread": row[SYNC_THREAD_BUSY.name]}
    what = next((name for name, share in of_server.items() if share == largest), "broker")
    return Busy(what=what, share=largest)


def was_without_messages(tables: Tables) -> bool:
    """Tell whether clients neither sent nor received a message in a trial's steady window."""
    (row,) = tables[THROUGHPUT].iter_rows(named=True)
    return bool(row[SENT.name] == 0 and row[RECEIVED.name] == 0)
