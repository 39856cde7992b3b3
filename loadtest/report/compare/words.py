"""How a comparison is said: its sentence, and the figures, differences and verdicts of its rows."""

from __future__ import annotations

from math import isfinite, isinf, isnan

from loadtest.figures.words import MOST_FACTOR, TOO_FEW, UNKNOWN, counted, number
from loadtest.report.compare.comparing import ComparedRuns, Row
from loadtest.stats.interval import Interval

HEADINGS = ("cell", "figure", "A", "B", "B/A, or points (95 %)", "verdict")

LEAST_LIMIT = 0.01
"""With two digits after the point a smaller ratio may be 0."""

MEANINGS = (
    "B/A above 1, or points above 0: the second run has more. Interval: of that one figure, at 95 %.",
    "higher, lower: shown to differ, corrected for the number of comparisons (Holm).",
    "same: shown to differ by less than matters (5 %; 5 points of missed, 1 point of lost).",
    "not decided (×1.3): neither is shown; 4 of 5 pairs of such runs would show a ratio of 1.3. Without brackets: "
    "the trials are too few, or differ too much, to show any.",
    "too few trials: for how much they differ; the interval would tell nothing.",
    "no limits: in some trial the figure is 0, or messages never came.",
    "within noise: no larger than what two equal trials in one of these runs differ by.",
)


def sentence(compared: ComparedRuns) -> str:
    """What came of it, in one sentence."""
    differing = compared.differing
    worse = sum(row.is_worse for row in differing)
    undecided = sum(row.judged.verdict == "not decided" for row in compared.rows)
    of = f"of {counted(len(compared.rows), 'figure')}"
    if not differing:
        return f"No difference beyond the noise {of}; {undecided:,} not decided."
    return (
        f"{counted(len(differing), 'difference')} beyond the noise {of}: {worse:,} worse, {len(differing) - worse:,} "
        f"better; {undecided:,} not decided."
    )


def figure_of_run(row: Row, value: float) -> str:
    """A figure as one of the runs has it."""
    if isnan(value):
        return UNKNOWN
    if isinf(value):
        return "never came"
    return f"{100 * value:.2f} %" if row.figure.kind == "share" else number(value)


def difference(row: Row) -> str:
    """`1.43 (1.30–1.57)` times, or `+2.8 (-1.0 to 6.5)` points; `1.43 (too few trials)` of limits that tell nothing."""
    found = row.judged.difference
    if not isfinite(found.estimate):
        return UNKNOWN
    is_share = row.figure.kind == "share"
    text = f"{100 * found.estimate:+.2f}" if is_share else _ratio(found.estimate, digits=3)
    if not found.has_limits:
        return f"{text} ({_why_no_limits(found)})"
    if is_share:
        return f"{text} ({100 * found.low:.1f} to {100 * found.high:.1f})"
    low, high = _ratio(found.low), _ratio(found.high)
    return text if low == high == text else f"{text} ({low}–{high})"


def verdict(row: Row) -> str:
    """`higher, worse`, `lower, within noise`, `same`, `not decided (×1.34)`."""
    judged = row.judged
    if judged.verdict == "not decided":
        return f"not decided{_seeable(row)}"
    if judged.verdict == "same":
        return "same"
    return f"{judged.verdict}, {('worse' if row.is_worse else 'better') if row.is_difference else 'within noise'}"


def because(row: Row) -> str:
    """One line that says what differs, for whoever sees nothing else."""
    return (
        f"{row.figure.heading} is {verdict(row)}: {figure_of_run(row, row.one)} and {figure_of_run(row, row.other)}, "
        f"B/A or points {difference(row)}, p {row.judged.p:.2g}"
    )


def _why_no_limits(found: Interval) -> str:
    """One trial has no limits either; of more only a figure without a log has none."""
    return "no limits" if isinf(found.high) and found.of > 1 else f"{TOO_FEW} trials"


def _ratio(ratio: float, digits: int = 2) -> str:
    if ratio > MOST_FACTOR:
        return f">{MOST_FACTOR:,.0f}"
    return f"{ratio:.{digits}f}" if ratio >= LEAST_LIMIT else f"<{LEAST_LIMIT}"


def _seeable(row: Row) -> str:
    """What would have been seen, if anything would."""
    seeable = row.judged.seeable
    if row.figure.kind == "share":
        return f" ({100 * seeable:.2g} points)" if seeable <= 1 else ""
    return f" (×{number(1 + seeable)})" if 1 + seeable <= MOST_FACTOR else ""
