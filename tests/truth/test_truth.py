"""Known truth: what is measured of a server that knows how long it took, over four kinds of delays and four rates.

The truth is what the server did, by its own clock and its kernel's stamps, and not what was planned: whatever the
machine does to the server is in both. LOADTEST_SOAK=1 (make soak) runs the whole grid.
"""

from __future__ import annotations

import os
from itertools import product
from math import inf
from pathlib import Path

import polars as pl
import pytest

from loadtest.checks.throughput import audit, table
from tests.again import again_until
from tests.truth.driving import BUSY, CALM, Drive, Driven, drive, pairs_of

pytestmark = pytest.mark.live

LEAST_MS = 0.3
SHARE = 0.01
"""Measured and true agree to 0.3 ms or 1 %, whichever is more."""

QUANTILES = (0.5, 0.9, 0.99, 0.999, 1.0)

APART = 0.001
"""One message in a thousand may be further apart: a process can lose its core between a clock and the system call
beside it. Where there are more it is driven again. Quantiles of what is left are compared, p99.9 and the largest among
them."""

GRID = [
    Drive(kind=kind, users=users, rate=rate, locustfile=locustfile, steady_s=steady_s)
    for kind, (users, rate, steady_s), locustfile in product(
        ("fixed", "bimodal", "heavy_tail", "one_stall"),
        ((5, 2.0, 8.0), (10, 10.0, 4.0), (50, 20.0, 4.0), (60, 0.0, 4.0)),  # 10, 100, 1,000 and up to 10,000 a second
        (CALM, BUSY),
    )
]
SOME = [
    Drive(kind="heavy_tail", users=50, rate=20.0),
    Drive(kind="one_stall", users=50, rate=20.0, locustfile=BUSY),
    Drive(kind="bimodal", users=60, rate=0.0),
]


@pytest.mark.parametrize("what", GRID if os.environ.get("LOADTEST_SOAK") else SOME, ids=str)
def test_latency_when_the_truth_is_known_then_it_is_measured(what: Drive, tmp_path: Path) -> None:
    def driven_anew(number: int) -> Driven:
        folder = tmp_path / str(number)
        folder.mkdir()
        return drive(what, folder)

    driven = again_until(lambda driven: _most_are_near(pairs_of(driven)), driven_anew)
    pairs = pairs_of(driven)
    counted = pairs.filter(_is_near("measured", "true"))
    assert pairs.null_count().sum_horizontal().item() == 0, "each message that was sent is in both records"
    assert pairs["alone"].min() == 1, "of each message the kernel said when it came"
    assert _most_are_near(pairs)
    assert_quantiles_agree(counted, "measured", "true")
    assert_quantiles_agree(counted, "planned", "true_from_plan")
    assert_row_says_it(driven, pairs)


def _most_are_near(pairs: pl.DataFrame) -> bool:
    return pairs.filter(_is_near("measured", "true")).height >= pairs.height * (1 - APART) - 1


def assert_quantiles_agree(pairs: pl.DataFrame, measured: str, true: str) -> None:
    """Check p50 to the largest, each side's of its own order."""
    for share in QUANTILES:
        ours, theirs = (float(pairs[name].quantile(share, "nearest") or 0.0) for name in (measured, true))
        assert ours == pytest.approx(theirs, abs=LEAST_MS, rel=SHARE), f"{measured}, quantile {share}"


def assert_row_says_it(driven: Driven, pairs: pl.DataFrame) -> None:
    """Check that throughput.csv has what the single messages say."""
    window = driven.trial.window
    assert window is not None
    (row,) = audit.check(driven.trial).rows.to_dicts()
    inside = pairs.filter(pl.col("planned_ns").is_between(window.start_ns, window.end_ns))
    unsent = max(0, row[table.OFFERED.name] - inside.height)  # due while its user awaited an answer: infinitely late
    from_plan = inside["true_from_plan"].extend(pl.repeat(inf, unsent, eager=True))
    for column, share in (
        (table.LATENCY_MS_P50, 0.5),
        (table.LATENCY_MS_P90, 0.9),
        (table.LATENCY_MS_P99, 0.99),
        (table.LATENCY_MS_P999, 0.999),
        (table.LATENCY_MS_MAX, 1.0),
    ):
        true = float(from_plan.quantile(share, "nearest") or 0.0)
        assert row[column.name] == pytest.approx(true, abs=LEAST_MS, rel=SHARE), column.name
    assert row[table.LATENCY_FROM_SEND_MS_P50.name] == pytest.approx(inside["true"].median(), abs=LEAST_MS, rel=SHARE)


def _is_near(measured: str, true: str) -> pl.Expr:
    apart = (pl.col(measured) - pl.col(true)).abs()
    return apart <= pl.max_horizontal(pl.lit(LEAST_MS), SHARE * pl.col(true))
