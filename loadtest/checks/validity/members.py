"""The gate of the members: whether all users that were planned had a connection when the trial began to count."""

import polars as pl

from loadtest.checks.open_failures import open_failures
from loadtest.checks.records import NS_A_S, TrialRecords, Window
from loadtest.ledger.record import Event, Phase


def not_all_users_opened(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where members were missing as it began to count."""
    members = (
        trial.client_events(Event.OPENING)
        .join(trial.client_events(Event.OPENED).select("connection", opened_ns="time_ns"), on="connection")
        .filter(pl.col("opened_ns") <= window.start_ns)["value"]
        .n_unique()
    )
    if members >= trial.users:
        return None
    marks = trial.client_events(Event.PHASE).filter(pl.col("code") == int(Phase.RAMP))["time_ns"]
    waited_s = (window.start_ns - marks[0]) / NS_A_S if len(marks) else 0.0
    reasons = open_failures(trial).value_counts(sort=True).rows()
    most = f" ({reasons[0][1]:,} times: {reasons[0][0]})" if reasons else ""
    return f"only {members} of {trial.users} users had a connection {waited_s:.0f} s after the start{most}"
