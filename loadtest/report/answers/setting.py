"""What was done, as an answer begins."""

from __future__ import annotations

from loadtest.dimensions import LOAD, SCENARIO, CellKey


def setting_of(key: CellKey) -> str:
    """`In churn at 80% load`; `In echo` where the load is fixed."""
    load = key.say(LOAD)
    return f"In {key.say(SCENARIO)}{f' at {load}' if load else ''}"
