"""The table disconnects.csv: its columns, as the handles by which they are asked for."""

from collections import Counter
from functools import partial
from typing import Final

from loadtest.dimensions import DROP
from loadtest.figures.column import Column
from loadtest.figures.table import Table

LEAST_FOR_P99: Final = 100
"""Of fewer drops no more than one in a hundred can be slower."""

_column = partial(Column, table="disconnects")
_count = partial(_column, unit="connections", dtype=int, over_trials="total")

DROPPED = _count(name="dropped", meaning="connections the clients dropped")
DISCONNECT_CALLED = _count(
    name="disconnect_called", meaning="of these, how many had disconnect() entered", better="higher"
)
MISSED = _count(name="missed", meaning="never had disconnect() entered by the end of settling", better="lower")
UNKNOWN = _count(name="unknown", meaning="it cannot be said whether disconnect() was entered", better="lower")

_share = partial(_column, dtype=float, of=(DROPPED,), since=5)

MISSED_SHARE = _share(name="missed_share", meaning="missed, of those called or missed: 0 to 1", better="lower")
MISSED_SHARE_LOW = _share(
    name="missed_share_low",
    meaning="lower limit of its 95 % interval within this trial; summary.json has that of the cell",
)
MISSED_SHARE_HIGH = _share(name="missed_share_high", meaning="the upper one")

_detection = partial(
    _column, unit="ms", dtype=float, better="lower", over_trials="median", of=(DROPPED, DISCONNECT_CALLED)
)

DETECT_MS_P50 = _detection(
    name="detect_ms_p50",
    meaning="from the drop to disconnect() entered, median; a missed one counts as never (inf)",
    may_be_never=True,
)
DETECT_MS_P99 = _detection(
    name="detect_ms_p99",
    meaning=f"the same, p99; empty with fewer than {LEAST_FOR_P99} drops, of which it would be the slowest",
    may_not_apply=True,
    may_be_never=True,
)
DETECT_MS_MAX = _detection(name="detect_ms_max", meaning="the slowest of those that came to it")
DETECT_ERROR_MS = _column(
    name="detect_error_ms",
    unit="ms",
    dtype=float,
    meaning="by how much a detection time may be off either way: the server's clock is that of another machine, and "
    "was compared with ours by round trips; 0 where both are one",
    better="lower",
    over_trials="median",
    of=(DROPPED,),
    of_trial=True,
    since=6,
)
EXPOSURE = _column(
    name="exposure",
    dtype=float,
    meaning="share of the open connections that would have missed their disconnect, had their client gone at a random "
    "moment: their consumer was in the midst of a message and then sent; the same for each kind of a trial",
    better="lower",
    over_trials="median",
    of_trial=True,
    since=5,
)
CODES = _column(
    name="codes",
    dtype=Counter,
    meaning='the codes disconnect() got and how often, "1005:38; 1006:2"',
    of=(DROPPED, DISCONNECT_CALLED),
)
GROUPS_LEFT = _count(name="groups_left", meaning="dropped connections still in a group after settling", better="lower")
TASKS_LEFT = _count(name="tasks_left", meaning="dropped connections whose consumer task still ran", better="lower")
PRESENCE_LEFT = _count(name="presence_left", meaning="dropped connections the database shows as online", better="lower")
NEVER_REACHED = _count(name="never_reached", meaning="died inside the HTTP upgrade; not part of dropped")
NOTICED = _count(
    name="noticed", meaning="dropped connections for which the server handed out a disconnect", better="higher"
)
RETURNED = _count(name="returned", meaning="dropped connections whose disconnect() returned", better="higher")
RAISED = _count(name="raised", meaning="dropped connections whose disconnect() raised", better="lower")
QUEUES_LEFT = _count(
    name="queues_left", meaning="dropped connections with messages still queued for them", better="lower"
)
SUBSCRIPTIONS_LEFT = _count(
    name="subscriptions_left",
    meaning="dropped connections to whose channel the layer was still subscribed",
    better="lower",
    since=3,
)
CAUSES = _column(
    name="causes",
    dtype=Counter,
    meaning='why disconnect() was missed and how often, "handler busy:3; not noticed:1"',
    of=(MISSED,),
)
EXAMPLE = _column(
    name="example", dtype=str, meaning="a missed connection as `channels-loadtest show` takes it", of=(MISSED,)
)

TABLE = Table(
    name="disconnects",
    meaning="What the server did with each dropped connection; dropped = disconnect_called + missed + unknown.",
    row="one kind of drop in one trial",
    whole=DROPPED,
    parts=(DISCONNECT_CALLED, MISSED, UNKNOWN),
    figures=(
        DROPPED,
        DISCONNECT_CALLED,
        MISSED,
        UNKNOWN,
        MISSED_SHARE,
        MISSED_SHARE_LOW,
        MISSED_SHARE_HIGH,
        EXPOSURE,
        DETECT_MS_P50,
        DETECT_MS_P99,
        DETECT_MS_MAX,
        DETECT_ERROR_MS,
        CODES,
        GROUPS_LEFT,
        TASKS_LEFT,
        PRESENCE_LEFT,
        NEVER_REACHED,
        NOTICED,
        RETURNED,
        RAISED,
        QUEUES_LEFT,
        SUBSCRIPTIONS_LEFT,
        CAUSES,
        EXAMPLE,
    ),
    refines=(DROP,),
)
