"""Pushes that came to nothing, and what came back instead."""

from typing import Final

import polars as pl

from loadtest.checks.open_failures import NO_REASON
from loadtest.checks.records import TrialRecords
from loadtest.ledger.record import Event

NO_ANSWER: Final = "no answer"
"""Whether the app has sent something is not known then."""


def push_failures(trial: TrialRecords) -> pl.Series | None:
    """Return what came back for each push of the whole trial that failed; None where nothing was pushed."""
    pushes = trial.client_events(Event.PUSHING).select("connection")
    if pushes.is_empty():
        return None
    answered = trial.client_events(Event.PUSHED).select("connection")
    refused = trial.client_events(Event.SEND_FAILED).select("connection", why=pl.col("text").fill_null(NO_REASON))
    left = pushes.join(answered, on="connection", how="anti").join(refused, on="connection", how="left")
    return left["why"].fill_null(NO_ANSWER)
