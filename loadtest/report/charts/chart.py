"""What a chart of the page is, and the colours and sizes that all share; colours of text and lines are the page's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]
Row = dict[str, Any]
AltairChart = Any  # Altair's operators return unions its own functions do not take

COLOURS: Mapping[str, str] = {
    "sync": "#0072B2",
    "async": "#E69F00",
    "sync-guarded": "#56B4E9",
    "async-guarded": "#D55E00",
}
"""Okabe and Ito's colours, told apart by colour-blind readers; each consumer has the same one everywhere."""

OTHER_COLOURS = ("#009E73", "#CC79A7", "#8A8A8A", "#B59F00")
"""For consumers of a user's own."""

BAND = 22
"""Height in pixels of one bar or range: two text lines of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: `spec` has no width, which the page gives it; `summary` says in words what it shows."""

    name: str
    title: str
    summary: str
    spec: Spec


def colours(consumers: Iterable[str]) -> dict[str, str]:
    """The colour of each consumer; those of the reference app have their own in every report."""
    names = sorted(set(consumers), key=_known_first)
    others = [name for name in names if name not in COLOURS]
    return {
        name: COLOURS[name] if name in COLOURS else OTHER_COLOURS[others.index(name) % len(OTHER_COLOURS)]
        for name in names
    }


def _known_first(consumer: str) -> tuple[int, str]:
    return (list(COLOURS).index(consumer), "") if consumer in COLOURS else (len(COLOURS), consumer)


def consumers(rows: Iterable[Row]) -> list[str]:
    """The consumers in these rows, those of the reference app first."""
    return sorted({row["consumer"] for row in rows}, key=_known_first)


def rounded(value: float | None) -> float | None:
    """Four figures that count: more cannot be seen and only make the page heavy."""
    return None if value is None else float(f"{value:.4g}")
