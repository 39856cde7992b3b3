"""What a chart of the page is, and the colours and sizes that all share; colours of text and lines are the page's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from math import isfinite
from typing import Any

from loadtest.dimensions import CONSUMER, CellKey
from loadtest.figures.evidence import Evidence
from loadtest.figures.values import Values

Spec = Mapping[str, Any]
Row = dict[str, Any]
AltairChart = Any  # Altair's operators return unions its own functions do not take

Palette = Mapping[str, str]
"""The colour of each consumer of a run, in the order in which the run has them."""

COLOURS: Mapping[tuple[str, bool], str] = {
    ("sync", False): "#0072B2",
    ("async", False): "#E69F00",
    ("sync", True): "#56B4E9",
    ("async", True): "#D55E00",
}
"""By the kind of a consumer, and whether it is a variant of another. Okabe and Ito's colours, told apart by
colour-blind readers; a kind has the same one in every report."""

OTHER_COLOURS = ("#009E73", "#CC79A7", "#8A8A8A", "#B59F00")
"""For consumers of no kind that is known, and where a kind has more than one."""

BAND = 22
"""Height in pixels of one bar or range: two text lines of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: `spec` has no width, which the page gives it; `summary` says in words what it shows."""

    name: str
    title: str
    summary: str
    spec: Spec
    columns: Mapping[str, str]
    """Of its data as CSV: the fields of its rows in their order, and what each is called there, with its unit."""


def palette_of(evidence: Evidence) -> Palette:
    """The colours of a run's consumers."""
    return palette_for([cell.key for cell in evidence.cells], evidence.values)


def palette_for(cells: Iterable[CellKey], values: Values) -> Palette:
    """The colours of the consumers of these cells: each kind has its own, further ones those that are left."""
    keys = sorted({CellKey(consumer=cell[CONSUMER]) for cell in cells}, key=values.order)
    found: dict[str, str] = {}
    others = cycle(OTHER_COLOURS)
    for key in keys:
        value = values.of(key, CONSUMER)
        own = COLOURS.get((value.kind, bool(value.variant_of)))
        found[value.name] = own if own and own not in found.values() else next(others)
    return found


def consumers(rows: Iterable[Row], palette: Palette) -> list[str]:
    """The consumers in these rows, in the run's order."""
    there = {row["consumer"] for row in rows}
    return [name for name in palette if name in there]


def rounded(value: float | None) -> float | None:
    """Four figures that count: more cannot be seen and only make the page heavy. None for what is infinite."""
    return None if value is None or not isfinite(value) else float(f"{value:.4g}")
