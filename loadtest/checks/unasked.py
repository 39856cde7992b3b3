"""Unasked: connections that ended without our doing, neither dropped nor closed by us before."""

import polars as pl

from loadtest.checks.records import TrialRecords
from loadtest.ledger.record import Event


def ended_unasked(trial: TrialRecords) -> int:
    """Return how many connections the server ended, in the whole of the trial, that we had not given up first."""
    ends = trial.client_events(Event.DROPPED, Event.CLOSED, Event.PEER_CLOSED)
    first = ends.unique("connection", keep="first", maintain_order=True)
    return first.filter(pl.col("event") == int(Event.PEER_CLOSED)).height
