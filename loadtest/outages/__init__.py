"""The outages: one module of this package each, found by its KIND. In a plan they stand among the drops."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from loadtest.discovery import kinds_in
from loadtest.drops import DROPS, problem_with_drop
from loadtest.outages.kind import Failing, Outage, Subject

__all__ = ["OUTAGES", "Failing", "Outage", "Subject", "problem_with_ending"]


def problem_with_ending(name: str) -> str | None:
    """Say why there is no drop and no outage of that name, or why it cannot be done here; None where it can."""
    outage = OUTAGES.get(name)
    if outage is None:
        return problem_with_drop(name, others=OUTAGES)
    why = outage.unavailable()
    return f"the outage {name} cannot be done here: {why}" if why else None


OUTAGES: Mapping[str, Outage] = kinds_in(sys.modules[__name__], Outage)
"""Every outage by its name, sorted."""

assert not OUTAGES.keys() & DROPS.keys(), "an outage has the name of a drop"
