"""Unasked: connections that ended without our doing, neither dropped nor closed by us before."""

import polars as pl

from loadtest.checks.records import TrialRecords
from loadtest.ledger.record import Event


def ended_unasked(trial: TrialRecords) -> pl.Series:
    """Return the connections that the server ended, in the whole of the trial, and we had not given up first; by time.

    Each once.
    """
    ends = trial.client_events(Event.DROPPED, Event.CLOSED, Event.PEER_CLOSED)
    first = ends.unique("connection", keep="first", maintain_order=True)
    return first.filter(pl.col("event") == int(Event.PEER_CLOSED))["connection"]
