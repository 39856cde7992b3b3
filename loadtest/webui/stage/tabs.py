"""Tabs: the tables of a test as rows for the web UI; every figure is one of a check's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from loadtest.checks import timeline
from loadtest.checks.delivery import table as delivery
from loadtest.checks.disconnects import table as disconnects
from loadtest.checks.residue import table as residue
from loadtest.checks.throughput import table as throughput
from loadtest.dimensions import DROP
from loadtest.figures.column import AnyColumn
from loadtest.figures.table import Table
from loadtest.figures.words import UNKNOWN, number, percent, percent_with_interval
from loadtest.report.tables import Tables
from loadtest.stats.interval import Interval
from loadtest.webui.state import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to show of a test."""

    tables: Tables
    invalid: tuple[str, ...]
    """Why its figures do not count, if so."""
    undecided: int
    """Drops of which it is not known yet what becomes of them."""
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab: a heading for each key of its rows, and the files that have all of its figures."""

    key: str
    title: str
    headings: Mapping[str, str]
    rows: Callable[[Shown], Iterator[Row]]
    files: tuple[Table, ...]


_BY_KIND: Final = {
    "kind": "Kind of drop",
    "dropped": "Dropped",
    "noticed": "Noticed by the server",
    "called": "disconnect() called",
    "missed": "Missed",
    "share": "Missed, share (95 % interval)",
    "unknown": "Unknown",
    "p50": "Detection p50, ms",
    "p99": "Detection p99, ms",
    "codes": "Codes",
    "exposure": "Exposure",
}
_FIGURES: Final = {"figure": "Figure", "value": "Value", "unit": "Unit", "meaning": "What it is"}


def _drops(shown: Shown) -> Iterator[Row]:
    for row in _rows(shown, disconnects.TABLE):
        yield {
            "kind": str(row[DROP.name]),
            "dropped": _text(row, disconnects.DROPPED),
            "noticed": _text(row, disconnects.NOTICED),
            "called": _text(row, disconnects.DISCONNECT_CALLED),
            "missed": _text(row, disconnects.MISSED),
            "share": _missed_share(row),
            "unknown": _text(row, disconnects.UNKNOWN),
            "p50": _text(row, disconnects.DETECT_MS_P50),
            "p99": _text(row, disconnects.DETECT_MS_P99),
            "codes": _text(row, disconnects.CODES),
            "exposure": _percent(row.get(disconnects.EXPOSURE.name)),
        }
    if shown.undecided:
        yield dict.fromkeys(_BY_KIND, "") | {"kind": "not decided yet", "dropped": str(shown.undecided)}


def _missed_share(row: Mapping[str, Any]) -> str:
    columns = (disconnects.MISSED_SHARE, disconnects.MISSED_SHARE_LOW, disconnects.MISSED_SHARE_HIGH)
    share, low, high = (row.get(column.name) for column in columns)
    if share is None:
        return UNKNOWN
    return percent_with_interval(
        Interval(estimate=share, low=share if low is None else low, high=inf if high is None else high)
    )


_DELIVERY: Final = (
    delivery.EXPECTED,
    delivery.DELIVERED,
    delivery.LOST,
    delivery.OFFLINE,
    delivery.DUPLICATED,
    delivery.REORDERED,
    delivery.UNKNOWN,
    delivery.DEAF,
    delivery.FIRST_MS_P50,
    delivery.MEDIAN_MS_P50,
    delivery.LAST_MS_P50,
    delivery.LAST_MS_P99,
    delivery.SKEW_MS_P50,
)


def _delivered(shown: Shown) -> Iterator[Row]:
    for row in _rows(shown, delivery.TABLE):
        yield from _figures(row, _DELIVERY)


_OF_SERVER: Final = (
    throughput.UTILISATION,
    throughput.LOOP_BUSY,
    throughput.SYNC_THREAD_BUSY,
    throughput.STALLS,
    throughput.STALLED_MS,
    throughput.STOOD_STILL_MS,
    throughput.SERVER_CPU_S,
    throughput.SERVER_RSS_MB,
)
_HELD: Final = ("asyncio tasks", "group members", "threads", "file descriptors", "layer queues")
"""Kinds of residue that are of interest while connections are open."""


def _server(shown: Shown) -> Iterator[Row]:
    for row in _rows(shown, timeline.TABLE)[-1:]:
        yield from _figures(row, (timeline.OPEN_SOCKETS, timeline.SERVER_CPU_PERCENT))
    for row in _rows(shown, throughput.TABLE):
        yield from _figures(row, _OF_SERVER)
    for row in _rows(shown, residue.TABLE):
        if row[residue.KIND.name] in _HELD:
            now = "at the end" if shown.is_over else "now"
            yield {
                "figure": row[residue.KIND.name],
                "value": _text(row, residue.AFTER),
                "unit": "",
                "meaning": f"how many there are {now}; {_text(row, residue.BEFORE)} before the first connection",
            }


def _left_behind(shown: Shown) -> Iterator[Row]:
    for row in _rows(shown, residue.TABLE):
        yield {
            "kind": str(row[residue.KIND.name]),
            "before": _text(row, residue.BEFORE),
            "now": _text(row, residue.AFTER),
            "left": _text(row, residue.LEFT) if shown.is_over else "known when all connections are gone",
            "example": _text(row, residue.EXAMPLE) if shown.is_over else "",
        }


_OF_THE_RIG: Final = (
    throughput.LATE_MS_P99,
    throughput.GENERATOR_CPU_S,
    throughput.GENERATOR_WAIT_S,
    throughput.CONTENTION,
    throughput.FOREIGN_CPU,
    throughput.STEAL,
    throughput.THROTTLED_S,
    throughput.CPU_WAIT_S,
    throughput.ENDED_UNEXPECTEDLY,
    throughput.OPEN_FAILED,
)


def _validity(shown: Shown) -> Iterator[Row]:
    for row in _rows(shown, throughput.TABLE):
        yield from _figures(row, (throughput.VALID,))
        for why in shown.invalid:
            yield {"figure": "not valid", "value": "", "unit": "", "meaning": why}
        yield from _figures(row, _OF_THE_RIG)


TABS: Final = (
    Tab(
        key="drops",
        title="Drops",
        headings=_BY_KIND,
        rows=_drops,
        files=(disconnects.TABLE,),
    ),
    Tab(key="delivery", title="Delivery", headings=_FIGURES, rows=_delivered, files=(delivery.TABLE,)),
    Tab(key="server", title="Server", headings=_FIGURES, rows=_server, files=(throughput.TABLE, timeline.TABLE)),
    Tab(
        key="left",
        title="Left behind",
        headings={"kind": "Kind", "before": "Before", "now": "Now", "left": "Left behind", "example": "For example"},
        rows=_left_behind,
        files=(residue.TABLE,),
    ),
    Tab(key="validity", title="Validity", headings=_FIGURES, rows=_validity, files=(throughput.TABLE,)),
)


def _rows(shown: Shown, table: Table) -> list[dict[str, Any]]:
    return shown.tables[table].to_dicts()


def _figures(row: Mapping[str, Any], columns: Sequence[AnyColumn]) -> Iterator[Row]:
    for column in columns:
        yield {
            "figure": column.name,
            "value": _text(row, column),
            "unit": column.unit,
            "meaning": column.meaning,
        }


def _text(row: Mapping[str, Any], column: AnyColumn) -> str:
    value = row.get(column.name)
    if value is None:
        return UNKNOWN
    if isinstance(value, list):
        return "; ".join(f"{one['value']}: {one['count']}" for one in value)
    return value if isinstance(value, str) else number(value)


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{percent(value)} %"
