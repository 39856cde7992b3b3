"""Utilisation: how busy a trial kept what is nearest to its limit."""

from dataclasses import dataclass

from loadtest.checks.throughput.table import BROKER_CPU_S, DURATION_S, SERVER_CPU_S
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.report.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """What was busiest in a trial, and for which share of the time: 1 is all the time."""

    what: str
    share: float


def utilisation_of(tables: Tables, *, workers: int) -> Busy | None:
    """Return the utilisation in a trial, from its row of throughput.csv; None where it is not known.

    Each of the server's processes can use one core, for Python holds one lock; the broker works in one thread.
    """
    (row,) = tables[THROUGHPUT].iter_rows(named=True)
    server_s, broker_s, duration_s = (row[column.name] for column in (SERVER_CPU_S, BROKER_CPU_S, DURATION_S))
    if server_s is None or not duration_s:
        return None
    shares = {"server": server_s / duration_s / workers, "broker": (broker_s or 0.0) / duration_s}
    what = max(shares, key=lambda name: shares[name])
    return Busy(what=what, share=shares[what])
