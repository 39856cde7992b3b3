"""Shares and figures by round: twins count with their round, what is not valid or not known does not, parts add up."""

from __future__ import annotations

from math import isnan

import pytest

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import DISCONNECT_CALLED, DROPPED, EXAMPLE, MISSED
from loadtest.checks.drops import DETECT_MS
from loadtest.checks.throughput.table import LATENCY_MS_P99
from loadtest.dimensions import CellKey
from loadtest.figures.cell import Cell, TrialFigures, make_cell, pooled
from loadtest.figures.share import counts_of, share_in
from loadtest.figures.words import (
    number,
    percent,
    quantile,
    quantile_with_interval,
    share_with_interval,
    why_no_limits,
    with_interval,
)
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.share import share_of
from loadtest.stats.survival import Times, quantiles_of


def dropped(
    number: int, missed: int | None, called: int = 90, *, twin_of: int | None = None, valid: bool = True
) -> TrialFigures:
    figures = {MISSED: missed, DISCONNECT_CALLED: called, DROPPED: 100}
    return TrialFigures(number=number, valid=valid, figures=figures, twin_of=twin_of)


def late(*latencies: float, twin_of: tuple[int | None, ...] = ()) -> Cell:
    twins = twin_of or (None,) * len(latencies)
    return make_cell(CellKey(), [
        TrialFigures(number=n, valid=True, figures={LATENCY_MS_P99: value}, twin_of=twin)
        for n, (value, twin) in enumerate(zip(latencies, twins, strict=True), 1)
    ])  # fmt: skip


def test_figure_of_a_round_when_it_was_measured_twice_then_it_is_the_mean_of_both() -> None:
    cell = late(2.0, 3.0, 8.0, 12.0, twin_of=(None, None, 1, 2))
    assert cell.by_round(LATENCY_MS_P99) == pytest.approx({1: 4.0, 2: 6.0})
    assert late(2.0, float("inf"), twin_of=(None, 1)).by_round(LATENCY_MS_P99) == {1: float("inf")}


def test_interval_when_there_are_several_rounds_then_it_is_that_of_their_logs() -> None:
    interval = late(1.0, 10.0, 100.0).interval(LATENCY_MS_P99)
    assert interval.estimate == pytest.approx(10)
    assert isnan(make_cell(CellKey(), []).interval(LATENCY_MS_P99).estimate)


def test_counts_when_a_round_was_measured_twice_then_both_count_in_it() -> None:
    cell = make_cell(CellKey(), [dropped(1, 10), dropped(2, 20, 80), dropped(3, 30, 70, twin_of=1)])
    counts = counts_of([cell], MISSED_OF)
    assert (list(counts.events), list(counts.of)) == ([40, 20], [200, 100])


def test_counts_when_a_trial_is_not_valid_or_was_not_audited_then_it_does_not_count() -> None:
    cell = make_cell(CellKey(), [dropped(1, 10), dropped(2, 20, 80, valid=False), dropped(3, None)])
    assert share_in([cell], MISSED_OF).events == 10
    assert share_in([cell], MISSED_OF).trials == 1


def test_counts_when_kinds_share_their_trials_then_a_round_is_one_cluster() -> None:
    cells = [make_cell(CellKey(drop=drop), [dropped(1, 10), dropped(2, 10)]) for drop in ("fin", "rst")]
    assert counts_of(cells, MISSED_OF).of == [200, 200]


def test_pooled_cells_when_a_count_is_not_known_in_one_then_it_is_not_known_of_both() -> None:
    one, other = (make_cell(CellKey(drop=drop), [dropped(1, missed)]) for drop, missed in (("fin", 3), ("rst", None)))
    both = pooled([one, other], CellKey(drop="mixed"))
    assert (both.total(DROPPED).total, both.total(MISSED).total) == (200, None)
    assert EXAMPLE not in both.trials[0]


def test_pooled_cells_when_they_have_times_then_those_of_a_round_stand_together() -> None:
    times = {DETECT_MS: {1: Times(happened=[1.0]), 2: Times(happened=[2.0])}}
    cells = [make_cell(CellKey(drop=drop), [dropped(1, 0)], times) for drop in ("fin", "rst")]
    (median,) = pooled(cells, CellKey(drop="mixed")).quantiles(DETECT_MS, (0.5,))
    assert (median.of, median.trials) == (4, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "100"), (0.35, "35"), (0.047, "4.7"), (0.0028, "0.28"), (0.00001, "<0.01"), (0.9996, ">99.9")],
)
def test_percent_when_written_then_it_has_two_figures_that_count(value: float, text: str) -> None:
    assert percent(value) == text


def test_interval_when_written_then_limits_that_are_not_known_are_left_out() -> None:
    assert with_interval(Interval(estimate=5120, low=4800, high=5480)) == "5,120 (4,800–5,480)"
    assert with_interval(Interval(estimate=5.0000000001, low=0, high=float("inf"))) == "5"
    assert with_interval(Interval(estimate=1000, low=999.9, high=1000.1)) == "1,000"
    assert with_interval(Interval(estimate=float("inf"), low=0, high=float("inf"))) == "∞"
    assert with_interval(Interval(estimate=float("nan"), low=0, high=float("inf"))) == "·"
    assert number(float("nan")) == "?"


def test_interval_when_rounds_are_too_few_then_their_number_stands_in_its_place() -> None:
    assert with_interval(location_of([50.0, 330.0])) == "128 (2 rounds: too few)"
    assert with_interval(location_of([5.0, 50.0, 900.0])) == "60.8 (3 rounds: too few)"
    assert with_interval(location_of([50.0, 55.0])) == "52.4 (28.6–96.1)"
    assert with_interval(location_of([129.0])) == "129 (1 round)"
    assert with_interval(location_of([1.0, 2.0, float("inf")])) == "2 (some round: never)"


def test_interval_when_its_values_are_no_rounds_then_it_says_of_what_there_are_too_few() -> None:
    assert why_no_limits(location_of([5.0]), "search", "searches") == "1 search"
    assert why_no_limits(location_of([5.0, 50.0]), "search", "searches") == "2 searches: too few"
    assert why_no_limits(Interval(estimate=5, low=0, high=float("inf"))) == ""


def test_share_when_written_then_its_interval_stands_in_brackets() -> None:
    assert share_with_interval(share_of([3, 2, 4], [50, 50, 50])) == "6 % (2.6–13)"
    assert share_with_interval(share_of([], [])) == "·"
    assert share_with_interval(share_of([0, 80], [80, 80])) == "50 % (2 rounds: too few)"


def test_quantile_when_written_then_it_is_no_more_than_is_known() -> None:
    trials = [Times(happened=[20.0 + n for n in range(45)], until=[5200.0] * 5)] * 3
    half, p90, p99 = quantiles_of(trials, [0.5, 0.92, 0.99])
    assert quantile_with_interval(half) == "44 (41–48)"
    assert (quantile(p90), quantile(p99)) == (">5,200", "·")
    (never,) = quantiles_of([Times(happened=[], until=[float("inf")] * 9)], [0.5])
    assert quantile(never) == "never"
    (apart,) = quantiles_of([Times(happened=[1000.0] * 40), Times(happened=[1.0] * 41)], [0.5])
    assert quantile_with_interval(apart) == "1 (2 rounds: too few)"
