"""So far: the ledgers of a test that still runs, as the checks can read them; pure.

The checks are those of a trial that has ended. What they are given here ends now: phases that have not begun begin now,
so nothing is called lost that may still be under way. A drop of which it is not known yet what becomes of it is left
out, and counted.
"""

import polars as pl

from loadtest.ledger.reader import SCHEMA
from loadtest.ledger.record import Event, Phase

_TO_COME = (Phase.RECOVER, Phase.DRAIN, Phase.CLOSE)
SAMPLED_NS = 700_000_000
"""The sampler asks each 0.1 s, and of waiting in one of 5 samples."""
LEAST_NS = 500_000_000
"""Of less than two steps of the timeline nothing can be said."""
_DECIDED = (Event.DISCONNECT_ENTERED, Event.TASK_ENDED)


def ends_ns(client: pl.DataFrame, now_ns: int) -> int | None:
    """Return when the part that counts ends, were it to end now; None where nothing counts yet.

    A moment ago, for processes are asked twice a second what they have waited for; but after each mark there is.
    """
    marks = client.filter(pl.col("event") == int(Event.PHASE))
    steady = marks.filter(pl.col("code") == int(Phase.STEADY))["time_ns"]
    if steady.is_empty() or now_ns - SAMPLED_NS - steady[0] < LEAST_NS:
        return None
    return max(now_ns - SAMPLED_NS, int(marks["time_ns"][-1]))


def as_if_over(client: pl.DataFrame, now_ns: int) -> pl.DataFrame:
    """Return the client's records with marks for the phases that are still to come, all of them at `now_ns`."""
    begun = set(client.filter(pl.col("event") == int(Event.PHASE))["code"].to_list())
    marks = [
        {"time_ns": now_ns, "connection": 0, "value": 0, "argument": 0, "code": int(phase), "event": int(Event.PHASE),
         "pid": 0, "text": None}
        for phase in _TO_COME
        if phase not in begun
    ]  # fmt: skip
    return pl.concat([client, pl.DataFrame(marks, schema=SCHEMA)])


def without_undecided(client: pl.DataFrame, server: pl.DataFrame, since_ns: int) -> tuple[pl.DataFrame, int]:
    """Leave out the drops since then of which the server has not said yet what became of them; return how many too."""
    decided = server.filter(pl.col("event").is_in([int(event) for event in _DECIDED]))["connection"].unique()
    is_undecided = (
        (pl.col("event") == int(Event.DROPPED))
        & (pl.col("time_ns") > since_ns)
        & ~pl.col("connection").is_in(decided.implode())
    )
    left = client.filter(~is_undecided)
    return left, client.height - left.height
