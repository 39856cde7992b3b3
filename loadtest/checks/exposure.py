"""Exposure: the share of open connections that would miss their disconnect if their client went at a random moment."""

import polars as pl

from loadtest.checks.records import TrialRecords, Window
from loadtest.ledger.record import Event

_ENDS = (Event.DROPPED, Event.CLOSED, Event.PEER_CLOSED)


def exposure_of(trial: TrialRecords, window: Window) -> float | None:
    """Return the share, 0 to 1, over all connections that the probes asked in the window; None when they asked none.

    Those count that the client held open when they were asked, as only such can be dropped: a connection that is gone
    and whose consumer is still in the midst of a message is in the server's ledger until that ends.
    """
    asked, spared = (_of_open(trial, event, window) for event in (Event.ASKED, Event.SPARED))
    count = int(asked["value"].sum())
    if not count:
        return None
    in_midst = int(asked.filter(pl.col("code") == 1)["value"].sum())
    return max(0, in_midst - int(spared["value"].sum())) / count


def _of_open(trial: TrialRecords, event: Event, window: Window) -> pl.DataFrame:
    opened = trial.client_events(Event.OPENED).group_by("connection").agg(opened_ns=pl.col("time_ns").min())
    ended = trial.client_events(*_ENDS).group_by("connection").agg(ended_ns=pl.col("time_ns").min())
    told = trial.server_events(event).filter(pl.col("time_ns").is_between(window.start_ns, window.end_ns))
    before_its_end = pl.col("ended_ns").is_null() | (pl.col("time_ns") < pl.col("ended_ns"))
    return (
        told.select("time_ns", "connection", "code", "value")
        .join(opened, on="connection")
        .join(ended, on="connection", how="left")
        .filter((pl.col("opened_ns") <= pl.col("time_ns")) & before_its_end)
    )
