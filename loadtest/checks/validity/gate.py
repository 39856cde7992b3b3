"""A gate: one reason for which a trial's figures can tell about the rig instead of the server."""

from collections.abc import Callable
from dataclasses import dataclass

from loadtest.checks.records import TrialRecords, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate; `closed_because` returns why the trial is not valid, or None when nothing speaks against it.

    The sentence says what was seen, the limit it broke, and what to do. What is not known closes no gate, unless a
    trial without it cannot be trusted.
    """

    name: str
    closed_because: Callable[[TrialRecords, Window], str | None]
    is_contention: bool = False
    """It is about what others did to the machine: open where the plan allows contention."""
