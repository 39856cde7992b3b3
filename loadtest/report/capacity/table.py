"""The table capacity.csv: each step of each search, as the command `capacity` writes it."""

from functools import partial
from typing import Final

from loadtest.checks.throughput import table as throughput
from loadtest.figures.column import AnyColumn, Column
from loadtest.figures.table import KEY, Table

_column = partial(Column, table="capacity", since=5)

SEARCH = _column(name="search", dtype=int, meaning="which search of the cell, from 1")
STEP = _column(name="step", dtype=int, meaning="which step of the search, from 1")
RATE = _column(name="rate", unit="messages/s", dtype=float, meaning="messages a second planned from each sender")
USERS = _column(name="users", unit="connections", dtype=int, meaning="WebSockets open at a time, as planned")
OUTCOME = _column(
    name="outcome",
    dtype=str,
    meaning='"kept" or "broken": the service level; "not valid": the load generator was the limit; "disturbed": other '
    'processes, virtual machines or a CPU quota were; "failed": it came to no result',
)
BROKE = _column(name="broke", dtype=str, meaning="what of the service level was broken, each with its figure")
WHY = _column(name="why", dtype=str, meaning="why the step is not valid, or failed")

_MESSAGES: Final[tuple[AnyColumn, ...]] = (
    throughput.OFFERED,
    throughput.SENT,
    throughput.ANSWERED,
    throughput.OVERLOADED,
    throughput.LATENCY_MS_P50,
    throughput.LATENCY_MS_P99,
    throughput.WATCHED_MS,
)
_BUSY: Final[tuple[AnyColumn, ...]] = (throughput.UTILISATION, throughput.LOOP_BUSY, throughput.SYNC_THREAD_BUSY)

LOST_SHARE = _column(name="lost_share", dtype=float, meaning="share of the messages lost, 0 to 1; as in delivery.csv")
MISSED_SHARE = _column(
    name="missed_share", dtype=float, meaning="share of the drops missed, 0 to 1; empty where nobody was dropped"
)
BROKER_BUSY = _column(name="broker_busy", dtype=float, meaning="the broker's CPU time a second, 0 to 1")
SERVER_CPUS = _column(name="server_cpus", dtype=int, meaning="CPUs that the server might use")
SERVER_CPU = _column(name="server_cpu", dtype=float, meaning="share of these that it used, 0 to 1")
BUSIEST = _column(
    name="busiest",
    dtype=str,
    meaning='what was nearest to its limit: "event loop", "sync thread", "broker", or "CPUs" where there are more '
    "workers than CPUs for them",
)
BUSIEST_SHARE = _column(name="busiest_share", dtype=float, meaning="the share of the time that it was busy")

FROM_THROUGHPUT: Final = (*_MESSAGES, *_BUSY)
"""Figures that stand in throughput.csv of a bench, under the same names."""

TABLE = Table(
    name="capacity",
    meaning="The steps of the searches of `channels-loadtest capacity`, in the order in which they were run.",
    row="one step",
    since=5,
    figures=(
        *(SEARCH, STEP, RATE, USERS, OUTCOME, BROKE, WHY),
        *_MESSAGES,
        *(LOST_SHARE, MISSED_SHARE),
        *_BUSY,
        *(BROKER_BUSY, SERVER_CPUS, SERVER_CPU, BUSIEST, BUSIEST_SHARE),
    ),
)

COLUMNS: Final = KEY + TABLE.figures
