"""Exposure: the share of open connections that would miss their disconnect if their client went at a random moment."""

import polars as pl

from loadtest.checks.records import TrialRecords, Window
from loadtest.ledger.record import Event


def exposure_of(trial: TrialRecords, window: Window) -> float | None:
    """Return the share, 0 to 1, over all connections that the probes asked in the window; None when they asked none."""
    exposed = _inside(trial, Event.EXPOSED, window)
    asked = int(exposed["value"].sum())
    if not asked:
        return None
    in_midst = int(exposed["argument"].cast(pl.UInt64).sum())
    spared = int(_inside(trial, Event.SPARED, window)["value"].sum())
    return max(0, in_midst - spared) / asked  # what was spared in the window may have been asked before it


def _inside(trial: TrialRecords, event: Event, window: Window) -> pl.DataFrame:
    return trial.server_events(event).filter(pl.col("time_ns").is_between(window.start_ns, window.end_ns))
