"""The figures of a result, from the tables of its trial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from loadtest.bench.measuring import Measured
from loadtest.checks.delivery import table as delivery
from loadtest.checks.disconnects import table as disconnects
from loadtest.checks.disconnects.left import LEFT
from loadtest.checks.drops import CONNECTION, DETECT_MS, VERDICT
from loadtest.checks.drops import TABLE as DROPS
from loadtest.checks.residue import table as residue
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import CellKey
from loadtest.figures.cell import pooled
from loadtest.figures.column import Column
from loadtest.pytest_plugin.result import Detection, Example, Result
from loadtest.report.cells import cells_of
from loadtest.report.columns import COLUMN, UNKNOWN, WHY
from loadtest.report.tables import Tables
from loadtest.stats.share import share_of
from loadtest.stats.survival import Quantile

_LEFT_WHAT: Final = {
    disconnects.GROUPS_LEFT: "stayed in a group",
    disconnects.PRESENCE_LEFT: "was still online in the database",
    disconnects.TASKS_LEFT: "had a consumer task that still ran",
    disconnects.QUEUES_LEFT: "still had messages queued for it",
    disconnects.SUBSCRIPTIONS_LEFT: "had a channel to which the layer was still subscribed",
}
"""What is said of one connection that shows it."""


def result_of(found: Measured, *, notes: tuple[str, ...], folder: Path, title: str) -> Result:
    """Return the result of a trial whose ledgers are in `folder`, as those of a run are."""
    tables = found.tables
    dropped = _total(tables, disconnects.DROPPED) if len(tables[disconnects.TABLE]) else 0
    expected = _total(tables, delivery.EXPECTED)

    def of_drops(column: Column[int]) -> int | None:
        return _total(tables, column) if dropped else None

    def of_messages(column: Column[int]) -> int | None:
        return _total(tables, column) if expected else None

    called, missed = of_drops(disconnects.DISCONNECT_CALLED), of_drops(disconnects.MISSED)
    return Result(
        dropped=dropped,
        disconnect_called=called,
        missed=missed,
        unknown=of_drops(disconnects.UNKNOWN),
        missed_share=_share(missed, called),
        groups_left=of_drops(disconnects.GROUPS_LEFT),
        tasks_left=of_drops(disconnects.TASKS_LEFT),
        queues_left=of_drops(disconnects.QUEUES_LEFT),
        subscriptions_left=of_drops(disconnects.SUBSCRIPTIONS_LEFT),
        presence_left=of_drops(disconnects.PRESENCE_LEFT),
        detect_ms=_detection(tables),
        exposure=_first(tables[disconnects.TABLE][disconnects.EXPOSURE.name]),
        expected=expected,
        delivered=of_messages(delivery.DELIVERED),
        lost=of_messages(delivery.LOST),
        duplicated=of_messages(delivery.DUPLICATED),
        residue=MappingProxyType(dict(tables[residue.TABLE].select(residue.KIND.name, residue.LEFT.name).iter_rows())),
        invalid_because="; ".join(found.invalid),
        unknown_because=tuple(_whys(tables)),
        notes=notes,
        title=title,
        folder=folder,
        examples=tuple(_examples(tables)),
    )


def _total(tables: Tables, column: Column[int]) -> int | None:
    """The sum over the kinds of drop; not known where it is not known of one of them."""
    values = tables.frame(column.table)[column.name]
    return None if values.null_count() else int(values.sum())


def _share(missed: int | None, called: int | None) -> float | None:
    if missed is None or called is None or not missed + called:
        return None
    return share_of([missed], [missed + called]).interval.estimate


def _detection(tables: Tables) -> Detection:
    cells = [cell for cell in cells_of(tables) if cell.has(disconnects.TABLE)]
    if not cells:
        return Detection(p50=None, p99=None)
    p50, p99 = pooled(cells, cells[0].key).quantiles(DETECT_MS, (0.5, 0.99))
    return Detection(p50=_known(p50), p99=_known(p99))


def _known(found: Quantile) -> float | None:
    return found.interval.estimate if found.is_known else None


def _first(values: pl.Series) -> float | None:
    return values[0] if len(values) else None


def _whys(tables: Tables) -> Iterator[str]:
    for row in tables[UNKNOWN].iter_rows(named=True):
        yield f"{row[COLUMN.name]}: {row[WHY.name]}"


def _examples(tables: Tables) -> Iterator[Example]:
    """A connection for each thing that is not as it should be; without any, the one that came to disconnect() last."""
    found = [*_of_drops(tables), *_of_messages(tables)]
    yield from found
    if not found:
        slowest = tables[DROPS].filter(VERDICT.expr == "called").sort(DETECT_MS.name, descending=True, nulls_last=True)
        yield from _example(slowest, "was the last to come to disconnect()", tables)


def _of_drops(tables: Tables) -> Iterator[Example]:
    drops = tables[DROPS]
    yield from _example(drops.filter(VERDICT.expr == "missed"), "missed its disconnect()", tables)
    yield from _example(drops.filter(VERDICT.expr == "unknown"), "may have missed its disconnect()", tables)
    for column, what in _LEFT_WHAT.items():
        left = drops.filter(LEFT[column].flag.expr == 1)
        yield from _example(left.sort(VERDICT.expr == "missed", maintain_order=True), what, tables)


def _example(drops: pl.DataFrame, what: str, tables: Tables) -> Iterator[Example]:
    """The first of these drops; its row names the kind of drop, and the trial's one in throughput.csv all of them."""
    if drops.height:
        trial = tables[THROUGHPUT].row(0, named=True)
        folder = f"{CellKey.of_row(trial).folder}/{trial['trial']}"
        yield Example(what=what, connection=f"{folder}:{drops[CONNECTION.name][0]}")


def _of_messages(tables: Tables) -> Iterator[Example]:
    for column, what in ((delivery.LOST_EXAMPLE, "lost a message"), (delivery.DEAF_EXAMPLE, "went deaf")):
        for reference in tables[delivery.TABLE][column.name]:
            if reference:
                yield Example(what=what, connection=reference)
