"""The cells of a run: each trial's figures, their medians with the range, and counts summed over trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from loadtest.report.columns import CELL_NAMES, KEY_NAMES, TABLES
from loadtest.report.manifest import CellKey
from loadtest.report.statistics import Figure, Total, figure_of, total_of
from loadtest.report.tables import Tables

Value = int | float | str | None

CPU_PER_1000 = "throughput.server_cpu_ms_per_1000_messages"
"""Made from server_cpu_s and received: what 1,000 messages cost the server, in ms of CPU."""

ENDED_UNASKED = "throughput.ended_unasked"
"""Connections that ended though nobody dropped them: the one count of throughput.csv that may be summed over trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial's figures by "table.column" ("residue.left.threads"): None where the number is not known,
    no entry where it does not apply or the trial has no row in that table."""

    number: int
    valid: bool  # False: the generator or the machine was the limit
    figures: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell with its trials; medians and totals have the trials' "table.column" names."""

    key: CellKey
    trials: tuple[Trial, ...]
    medians: Mapping[str, Figure]
    totals: Mapping[str, Total]

    def has(self, table: str) -> bool:
        """Whether some trial of this cell has a row in that table."""
        return any(name.startswith(f"{table}.") for trial in self.trials for name in trial.figures)

    def median(self, name: str) -> Figure:
        """The figure of that name; one that does not apply where no trial has it."""
        return self.medians.get(name, figure_of(()))

    def total(self, name: str) -> Total:
        """The sum of that count; one of no trials where no trial has it."""
        return self.totals.get(name, total_of(()))

    def example(self, name: str) -> str:
        """The first connection that a trial names in that column; "" where none does."""
        return next((str(value) for value in self.values(name) if value), "")

    def values(self, name: str) -> list[Value]:
        """The figure in each trial that has it, in the order of the trials."""
        return [trial.figures[name] for trial in self.trials if name in trial.figures]


def cells_of(tables: Tables) -> tuple[Cell, ...]:
    """All cells that have a row in some table but timeline and unknown, in the order they first came."""
    found: dict[CellKey, dict[int, dict[str, Value]]] = {}
    for name in ("throughput", "disconnects", "delivery", "residue"):
        for row in tables.frame(name).iter_rows(named=True):
            trial = found.setdefault(key_of(row), {}).setdefault(row["trial"], {})
            trial.update(_figures(name, row))
    invalid = _invalid_trials(tables.throughput)
    return tuple(_cell(key, trials, invalid) for key, trials in sorted(found.items(), key=_order))


def key_of(row: Mapping[str, object]) -> CellKey:
    """The cell a row of any table belongs to."""
    return CellKey(**{name: row[name] for name in CELL_NAMES})  # type: ignore[arg-type]


def by_consumer(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """The cells that differ by their drop alone, together; sync before async, the plain before the guarded."""

    def place(cell: Cell) -> tuple[object, ...]:
        key = cell.key
        return key.server, key.workers, key.layer, "async" in key.consumer, key.consumer, key.scenario

    for _, group in groupby(sorted(cells, key=place), key=place):
        yield list(group)


def _order(item: tuple[CellKey, object]) -> tuple[object, ...]:
    """Scenario first, echo leading, so that what is compared stands together; sync before async, as people say it."""
    key = item[0]
    return (
        key.server,
        key.workers,
        key.scenario != "echo",
        key.scenario,
        key.layer,
        key.drop,
        "async" in key.consumer,
        key.consumer,
    )


def _figures(table: str, row: Mapping[str, Value]) -> dict[str, Value]:
    if table == "residue":
        return {f"residue.{name}.{row['kind']}": row[name] for name in ("before", "after", "left", "example")}
    figures = {f"{table}.{name}": value for name, value in row.items() if name not in KEY_NAMES}
    if table == "throughput":
        figures[CPU_PER_1000] = _cpu_per_1000(row)
    return {name: value for name, value in figures.items() if value not in (None, "") or _applies(name, row)}


def _cpu_per_1000(row: Mapping[str, Value]) -> float | None:
    cpu_s, received = row["server_cpu_s"], row["received"]
    if not isinstance(cpu_s, float) or not isinstance(received, int) or received == 0:
        return None
    return cpu_s * 1000 / received * 1000


def _applies(name: str, row: Mapping[str, Value]) -> bool:
    """Whether an empty cell is a number nobody knows, and not one of nothing."""
    if ".latency_" in name or name == CPU_PER_1000:
        return row["received"] != 0
    if ".detect_" in name or name == "disconnects.codes":
        return row["dropped"] != 0 and row["disconnect_called"] != 0
    return name not in _TOLD_OF or row[_TOLD_OF[name]] != 0


_TOLD_OF = {
    "disconnects.causes": "missed",
    "disconnects.example": "missed",
    "throughput.unasked_example": "ended_unasked",
    "delivery.lost_example": "lost",
    "delivery.deaf_example": "deaf",
}
"""Columns that say more of what another column of their table counts."""


def _invalid_trials(throughput: pl.DataFrame) -> set[tuple[object, ...]]:
    return set(throughput.filter(pl.col("valid") == "no").select(KEY_NAMES).iter_rows())


def _cell(key: CellKey, found: Mapping[int, Mapping[str, Value]], invalid: set[tuple[object, ...]]) -> Cell:
    place = tuple(getattr(key, name) for name in CELL_NAMES)
    trials = tuple(
        Trial(number=number, valid=(*place, number) not in invalid, figures=figures)
        for number, figures in sorted(found.items())
    )
    names = list(dict.fromkeys(name for trial in trials for name in trial.figures))
    return Cell(
        key=key,
        trials=trials,
        medians={name: _median(name, trials) for name in names if _is_number(name)},
        totals={name: _total(name, trials) for name in names if _is_count(name)},
    )


def _median(name: str, trials: Iterable[Trial]) -> Figure:
    """Trials that are not valid are left out of throughput and latency: they measured the generator."""
    having = [trial for trial in trials if name in trial.figures]
    used = [trial for trial in having if trial.valid or not name.startswith("throughput.")]
    return figure_of(_numbers(trial.figures[name] for trial in used), left_out=len(having) - len(used))


def _total(name: str, trials: Iterable[Trial]) -> Total:
    values = _numbers(trial.figures[name] for trial in trials if name in trial.figures)
    return total_of([None if value is None else int(value) for value in values])


def _numbers(values: Iterable[Value]) -> Sequence[float | None]:
    return [value if isinstance(value, int | float) else None for value in values]


def _is_number(name: str) -> bool:
    table, column, *_ = name.split(".")
    return name == CPU_PER_1000 or TABLES[table].column(column).dtype != "str"


def _is_count(name: str) -> bool:
    """Counts of single connections and messages may be summed over trials; rates and times may not."""
    table, column, *_ = name.split(".")
    if name == ENDED_UNASKED:
        return True
    return table in ("disconnects", "delivery") and TABLES[table].column(column).unit in ("connections", "messages")
