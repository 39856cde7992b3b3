"""Unexpected ends: connections that the server ended though the client had neither dropped nor closed them."""

import polars as pl

from loadtest.checks.records import TrialRecords
from loadtest.ledger.record import Event


def ended_unexpectedly(trial: TrialRecords) -> pl.Series:
    """Return the connections that the server was the first to end, in the whole of the trial; by time, each once."""
    ends = trial.client_events(Event.DROPPED, Event.CLOSED, Event.PEER_CLOSED)
    first = ends.unique("connection", keep="first", maintain_order=True)
    return first.filter(pl.col("event") == int(Event.PEER_CLOSED))["connection"]
