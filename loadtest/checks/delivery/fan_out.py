"""Fan-out: when each broadcast came to its first, its median and its last receiver, and how far these are apart."""

from collections.abc import Mapping
from math import inf
from typing import Final

import polars as pl

from loadtest.checks.delivery import table
from loadtest.checks.pairs import NEVER_NS, Pairs, is_planned_in
from loadtest.checks.records import NS_A_MS, Window
from loadtest.figures.column import Column
from loadtest.figures.table import Row

_FEWEST = 2
"""Receivers of what is a broadcast."""

_QUANTILES: Final[Mapping[Column[float], tuple[str, float]]] = {
    table.FIRST_MS_P50: ("first", 0.5),
    table.FIRST_MS_P99: ("first", 0.99),
    table.MEDIAN_MS_P50: ("median", 0.5),
    table.MEDIAN_MS_P99: ("median", 0.99),
    table.LAST_MS_P50: ("last", 0.5),
    table.LAST_MS_P99: ("last", 0.99),
    table.SKEW_MS_P50: ("skew", 0.5),
    table.SKEW_MS_P99: ("skew", 0.99),
}


def fan_out(pairs: Pairs, window: Window) -> Row:
    """Return quantiles over the messages planned in the window that two members or more should have got, in ms.

    From the planned sending on; a receiver that a message never came to has it infinitely late. None where there is no
    such message.
    """
    due = pairs.due(is_planned_in(window))
    took_ms = pl.when(pl.col("took_ns") < NEVER_NS).then(pl.col("took_ns") / NS_A_MS).otherwise(inf)
    messages = (
        due.select("message", ms=took_ms)
        .group_by("message")
        .agg(
            pl.len(),
            first=pl.col("ms").min(),
            median=pl.col("ms").quantile(0.5, "lower"),
            last=pl.col("ms").max(),
        )
        .filter(pl.col("len") >= _FEWEST)
        .with_columns(skew=pl.when(pl.col("last") < inf).then(pl.col("last") - pl.col("first")).otherwise(inf))
    )
    return {column: messages[name].quantile(share, "nearest") for column, (name, share) in _QUANTILES.items()}
