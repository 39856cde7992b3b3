"""The table delivery.csv: its columns, as the handles by which they are asked for."""

from functools import partial

from loadtest.checks.throughput.table import WATCHED_MS
from loadtest.figures.column import Column
from loadtest.figures.share import Part
from loadtest.figures.table import Table

_column = partial(Column, table="delivery")
_count = partial(_column, unit="messages", dtype=int, over_trials="total")

EXPECTED = _count(name="expected", meaning="messages meant for a member that was connected throughout")
DELIVERED = _count(name="delivered", meaning="of these, received", better="higher")
LOST = _count(name="lost", meaning="of these, never received", better="lower")
DUPLICATED = _count(name="duplicated", meaning="received more than once", better="lower")
REORDERED = _count(name="reordered", meaning="received after a later one of the same sender", better="lower")
OFFLINE = _count(name="offline", meaning="sent while the member was offline: not expected, never called lost")
UNKNOWN = _count(name="unknown", meaning="it cannot be said whether it was received", better="lower")
EDGE = _count(name="edge", meaning="of these, under way when its sender or receiver was dropped", better="lower")
JOINING = _count(
    name="joining",
    meaning="of those, sent before anything told that the receiver had joined its room",
    better="lower",
    since=5,
)
DEAF = _column(
    name="deaf",
    unit="connections",
    dtype=int,
    meaning="stayed open and received nothing more of all that was meant for them",
    better="lower",
    over_trials="total",
)
_receivers = partial(
    _column,
    unit="ms",
    dtype=float,
    better="lower",
    over_trials="median",
    may_not_apply=True,
    since=5,
    beyond=WATCHED_MS,
)

FIRST_MS_P50 = _receivers(name="first_ms_p50", meaning="latency at the first receiver of a message, median of messages")
FIRST_MS_P99 = _receivers(name="first_ms_p99", meaning="latency at the first receiver of a message, p99 of messages")
MEDIAN_MS_P50 = _receivers(name="median_ms_p50", meaning="latency at its median receiver, median of messages")
MEDIAN_MS_P99 = _receivers(name="median_ms_p99", meaning="latency at its median receiver, p99 of messages")
LAST_MS_P50 = _receivers(name="last_ms_p50", meaning="latency at its last receiver, median of messages")
LAST_MS_P99 = _receivers(name="last_ms_p99", meaning="latency at its last receiver, p99 of messages")
SKEW_MS_P50 = _receivers(name="skew_ms_p50", meaning="from its first to its last receiver, median of messages")
SKEW_MS_P99 = _receivers(name="skew_ms_p99", meaning="from its first to its last receiver, p99 of messages")

LOST_EXAMPLE = _column(
    name="lost_example",
    dtype=str,
    meaning="a connection that lost a message as `channels-loadtest show` takes it",
    of=(LOST,),
    since=2,
)
DEAF_EXAMPLE = _column(
    name="deaf_example",
    dtype=str,
    meaning="a deaf connection as `channels-loadtest show` takes it",
    of=(DEAF,),
    since=2,
)

LOST_OF = Part(name="lost_share", events=LOST, others=DELIVERED)
"""Lost, of those of which it is known whether they came."""

TABLE = Table(
    name="delivery",
    meaning="What became of each message for each member it was meant for; expected = delivered + lost + unknown.",
    row="one trial",
    whole=EXPECTED,
    parts=(DELIVERED, LOST, UNKNOWN),
    figures=(
        EXPECTED,
        DELIVERED,
        LOST,
        DUPLICATED,
        REORDERED,
        OFFLINE,
        UNKNOWN,
        EDGE,
        JOINING,
        DEAF,
        LOST_EXAMPLE,
        DEAF_EXAMPLE,
        FIRST_MS_P50,
        FIRST_MS_P99,
        MEDIAN_MS_P50,
        MEDIAN_MS_P99,
        LAST_MS_P50,
        LAST_MS_P99,
        SKEW_MS_P50,
        SKEW_MS_P99,
    ),
)
