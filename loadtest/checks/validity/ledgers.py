"""The gate of the ledgers: whether both sides could write down all that happened."""

from loadtest.checks.records import TrialRecords, Window


def ledger_was_cut(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where a ledger could not grow."""
    return "a ledger could not grow: the disk is full" if trial.is_truncated else None
