"""Latency: its percentiles over all messages that should have come; what never came is infinitely late."""

from collections.abc import Mapping
from math import inf
from typing import Final

import polars as pl

from loadtest.checks.pairs import Pairs, is_planned_in
from loadtest.checks.records import NS_A_MS, Window
from loadtest.checks.throughput import table
from loadtest.checks.throughput.unsent import Unsent
from loadtest.figures.column import Column
from loadtest.figures.table import Row

_FROM_PLAN: Final[Mapping[Column[float], float]] = {
    table.LATENCY_MS_P50: 0.5,
    table.LATENCY_MS_P90: 0.9,
    table.LATENCY_MS_P99: 0.99,
    table.LATENCY_MS_P999: 0.999,
    table.LATENCY_MS_MAX: 1.0,
}
_FROM_SEND: Final[Mapping[Column[float], float]] = {
    table.LATENCY_FROM_SEND_MS_P50: 0.5,
    table.LATENCY_FROM_SEND_MS_P99: 0.99,
}


def latencies(pairs: Pairs, window: Window, unsent: Unsent) -> Row:
    """Return the latency of the messages planned in the window at each member that they were meant for.

    Nearest rank over all raw times, in ms; None where nothing was due. What is lost, and what had not come when the
    trial ended, is infinitely late, and so is what was due and never sent; what a drop may have cut off is left out.
    """
    due = pairs.due(is_planned_in(window))
    missing = due.filter(~pl.col("delivered"))
    came = due.filter("delivered")
    from_plan = came["took_ns"] / NS_A_MS
    from_send = from_plan - (pairs.each("sent_ns", came) - pairs.each("planned_ns", came)) / NS_A_MS
    return {
        **_quantiles(_FROM_PLAN, from_plan, never=missing.height + unsent.messages),
        **_quantiles(_FROM_SEND, from_send, never=missing.height),
        table.WATCHED_MS: _watched_ms(pairs, missing, window, unsent),
    }


def _quantiles(of: Mapping[Column[float], float], times_ms: pl.Series, *, never: int) -> Row:
    late = times_ms.extend(pl.repeat(inf, never, eager=True))
    return {column: late.quantile(share, "nearest") for column, share in of.items()}


def _watched_ms(pairs: Pairs, missing: pl.DataFrame, window: Window, unsent: Unsent) -> float | None:
    """Return how long what never came was waited for: of what was still under way the shortest wait, else the longest.

    What is lost, or was never sent, would not have come in any time.
    """
    lost = missing["lost"]
    waited_ns = window.closing_ns - pairs.each("planned_ns", missing)
    if not lost.all():
        shortest_ns: int = min(waited_ns.filter(~lost).to_list())
        return shortest_ns / NS_A_MS
    longest_ns: list[int] = waited_ns.to_list()
    if unsent.messages:
        longest_ns.append(window.closing_ns - unsent.first_due_ns)
    return max(longest_ns) / NS_A_MS if longest_ns else None
