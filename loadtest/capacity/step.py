"""One step: what a trial at one value of a search showed, and whether it kept the service level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loadtest.bench.measuring import Measured
from loadtest.bench.utilisation import Busy, utilisation_of
from loadtest.checks.throughput.table import (
    BROKER_CPU_S,
    CONTENTION,
    DURATION_S,
    OVERLOADED,
    SERVER_CPU_S,
    STEAL,
    THROTTLED_S,
)
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.checks.validity.machine import WITHHELD_LIMIT
from loadtest.dimensions import WORKERS, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.threshold import Threshold
from loadtest.figures.values import Values
from loadtest.report.capacity.answers import BUSY
from loadtest.report.capacity.steps import BETWEEN, CapacityStep
from loadtest.report.capacity.table import FROM_THROUGHPUT
from loadtest.report.capacity.words import OVERLOADED as NOT_OVERLOADED
from loadtest.report.cells import cells_of
from loadtest.report.tables import Tables
from loadtest.report.thresholds import SHARES, judge
from loadtest.report.whole_cells import whole_cells

SHARE_FIGURES: Final = ("lost_share", "missed_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which step of which search of which cell, at which load."""

    cell: CellKey
    number: int
    search: int
    step: int
    rate: float
    users: int
    server_cpus: int


def failed_step(place: Place, why: str) -> CapacityStep:
    """Return a step that came to no result."""
    return CapacityStep(**_at(place), outcome="failed", why=why)


def step_of(place: Place, measured: Measured, level: Sequence[Threshold], values: Values) -> CapacityStep:
    """Return what a step showed; one whose figures are of the rig, or do not tell of the level, is not valid."""
    shown = {**_at(place), **_figures(measured.tables, place)}
    if measured.invalid:
        is_disturbed = _is_disturbed(_row(measured.tables))
        why = BETWEEN.join(measured.invalid)
        return CapacityStep(**shown, outcome="disturbed" if is_disturbed else "not valid", why=why)
    cells = cells_of(measured.tables, values)
    judged = judge(cells, values, level)
    if unknown := [one.threshold.text for one in judged if one.value is None]:
        return CapacityStep(**shown, outcome="not valid", why=f"{', '.join(unknown)}: the trial does not tell")
    broke = [f"{one.threshold.text}: {one.says}" for one in judged if not _keeps(one.threshold, one.value)]
    broke += _overload(measured.tables)
    shown |= _shares(whole_cells(cells, values))
    return CapacityStep(**shown, outcome="broken" if broke else "kept", broke=BETWEEN.join(broke))


def _at(place: Place) -> dict[str, Any]:
    return {
        "cell": place.cell,
        "number": place.number,
        "search": place.search,
        "step": place.step,
        "rate": place.rate,
        "users": place.users,
        "server_cpus": place.server_cpus,
    }


def _keeps(threshold: Threshold, value: float | None) -> bool:
    return value is not None and threshold.holds_for(value)


def _is_disturbed(row: Mapping[str, Any]) -> bool:
    """Tell whether the machine was not ours alone, which no other load would change."""
    shares = [row[column.name] or 0.0 for column in (CONTENTION, STEAL)]
    throttled_s, duration_s = row[THROTTLED_S.name] or 0.0, row[DURATION_S.name] or 0.0
    return max(*shares, throttled_s / duration_s if duration_s else 0.0) >= WITHHELD_LIMIT


def _overload(tables: Tables) -> Iterator[str]:
    if _row(tables)[OVERLOADED.name] == "yes":
        yield NOT_OVERLOADED


def _row(tables: Tables) -> Mapping[str, Any]:
    (row,) = tables[THROUGHPUT].iter_rows(named=True)
    return row


def _figures(tables: Tables, place: Place) -> dict[str, Any]:
    row = _row(tables)
    own = {column.name: row[column.name] for column in FROM_THROUGHPUT}
    duration_s, server_s, broker_s = (row[column.name] for column in (DURATION_S, SERVER_CPU_S, BROKER_CPU_S))
    busiest = busiest_of(tables, place)
    return {
        **own,
        "broker_busy": None if broker_s is None or not duration_s else broker_s / duration_s,
        "server_cpu": _cpu_share(server_s, duration_s, place),
        "busiest": None if busiest is None else busiest.what,
        "busiest_share": None if busiest is None else busiest.share,
    }


def busiest_of(tables: Tables, place: Place) -> Busy | None:
    """Return what was nearest to its limit: the CPUs where they are used up and there are more workers than CPUs."""
    row = _row(tables)
    cpu = _cpu_share(row[SERVER_CPU_S.name], row[DURATION_S.name], place)
    if cpu is not None and cpu >= BUSY and place.cell[WORKERS] > place.server_cpus:
        return Busy(what="CPUs", share=min(cpu, 1.0))
    return utilisation_of(tables)


def _cpu_share(server_s: float | None, duration_s: float | None, place: Place) -> float | None:
    if server_s is None or not duration_s or not place.server_cpus:
        return None
    return server_s / duration_s / place.server_cpus


def _shares(cells: Sequence[Cell]) -> dict[str, Any]:
    trials = [trial for cell in cells for trial in cell.trials]
    shares = {name: SHARES[name].typical(trials) for name in SHARE_FIGURES}
    return {name: None if share != share else share for name, share in shares.items()}
