"""The law of missed disconnects in a run: beside the share that was missed the exposure, sampled without any drop.

A drop at a random moment is missed when it meets a consumer in the midst of a message whose handling then sends. So the
share that is missed should be the share of time in which consumers are there; docs/method.md tells how that is sampled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import EXPOSURE
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.busy import busy_in
from loadtest.dimensions import CONSUMER, DROP, LAYER, LOAD, MIXED_DROPS, SERVER, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import share_by_round, share_in
from loadtest.figures.words import counted, number, percent, share_with_interval, why_no_limits
from loadtest.stats.interval import Interval
from loadtest.stats.location import mean_of
from loadtest.stats.share import Share
from loadtest.stats.vague import as_points

HEAD: Final = (
    *(dimension.name for dimension in (SERVER, LAYER, CONSUMER, LOAD)),
    *("utilisation", "missed", "missed share (95 %)", "exposure", "difference (95 %)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LawRow:
    """What was missed of a cell's drops of which chance alone decides, and what was to be expected; shares, 0 to 1."""

    key: CellKey
    """With mixed drops, whatever the kinds were."""
    utilisation: float | None
    missed: Share
    exposure: float
    """The mean of the rounds."""
    excess: Interval
    """Missed less exposure, paired by round: 0 where the law holds."""


def law_rows(evidence: Evidence, *, left_out: Collection[str] = ()) -> Iterator[LawRow]:
    """A row for each cell with drops of which chance alone decides, in which the exposure is known in two rounds.

    `left_out`: kinds of drop that are in no row.
    """
    for cells in evidence.by_drop(DISCONNECTS):
        at_risk = [cell for cell in evidence.at_risk(cells) if cell.key[DROP] not in left_out]
        if at_risk and (row := _row(at_risk, evidence)) is not None:
            yield row


def _row(cells: Sequence[Cell], evidence: Evidence) -> LawRow | None:
    key = cells[0].key.having(DROP, MIXED_DROPS)
    exposures = cells[0].by_round(EXPOSURE)  # of the trial: the same in the rows of all its kinds
    missed = share_by_round(cells, MISSED_OF)
    excess = [missed[number] - exposures[number] for number in sorted(missed.keys() & exposures.keys())]
    if len(excess) < 2:
        return None
    busy = busy_in(cells, evidence)
    return LawRow(
        key=key,
        utilisation=fmean(busy) if busy else None,
        missed=share_in(cells, MISSED_OF),
        exposure=fmean(exposures.values()),
        excess=as_points(mean_of(excess)),
    )


def law_table(evidence: Evidence, *, left_out: Collection[str] = ()) -> str:
    """The rows as a table in Markdown, and in how many cells the law may hold; the difference in percentage points."""
    found = list(law_rows(evidence, left_out=left_out))
    lines = [f"| {' | '.join(row)} |" for row in (HEAD, ["---"] * len(HEAD), *map(_cells, found))]
    told = [row.excess for row in found if row.excess.has_limits]  # any other holds 0, whatever is true
    held = sum(0 in excess for excess in told)
    lines += ["", f"In {held} of {counted(len(told), 'cell')} the interval of the difference holds 0."]
    return "\n".join(lines) + "\n"


def _cells(row: LawRow) -> list[str]:
    place = [str(row.key[dimension]) for dimension in (SERVER, LAYER, CONSUMER, LOAD)]
    busy = "?" if row.utilisation is None else number(round(row.utilisation, 2))
    share = row.missed
    return [
        *place,
        busy,
        f"{share.events:,} of {share.of:,}",
        share_with_interval(share),
        f"{percent(row.exposure)} %",
        f"{_points(row.excess.estimate)} ({_limits(row.excess)})",
    ]


def _limits(excess: Interval) -> str:
    """`-0.7 to +2.0`; `2 rounds: too few` where these tell nothing."""
    if not excess.has_limits:
        return why_no_limits(excess)
    return f"{_points(max(excess.low, -1.0))} to {_points(min(excess.high, 1.0))}"


def _points(difference: float) -> str:
    """Percentage points with their sign."""
    return f"{100 * difference:+.1f}"
