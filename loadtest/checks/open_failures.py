"""Connections that could not be opened, and why."""

import polars as pl

from loadtest.checks.records import TrialRecords
from loadtest.ledger.record import Event

NO_REASON = "no reason recorded"


def open_failures(trial: TrialRecords) -> pl.Series:
    """Return the reason for each connection that could not be opened, in the whole of the trial.

    Without those that were dropped while they opened: not opening was what they were for.
    """
    dropped = trial.client_events(Event.DROPPED)["connection"]
    failed = trial.client_events(Event.OPEN_FAILED).filter(~pl.col("connection").is_in(dropped.implode()))
    return failed["text"].fill_null(NO_REASON)
