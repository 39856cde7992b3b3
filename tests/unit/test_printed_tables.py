"""What stands in every printed table: the load that was asked for, and how busy that made the server."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import pytest

from loadtest.report.csv_files import read_tables
from loadtest.report.manifest import read_manifest
from loadtest.report.printed import PrintedTable, left_of_1000, printed_tables
from loadtest.report.summary import Summary, summarise
from loadtest.report.tables import Tables
from tests.unit.loaded_folder import loaded_tables, write_loaded_folder
from tests.unit.report_folder import key_row

KEYS = ("layer", "consumer", "load")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_loaded_folder(tmp_path_factory.mktemp("run"))


def summary_of(folder: Path, tables: Tables | None = None) -> Summary:
    return summarise(tables or read_tables(folder), read_manifest(folder))


def rows_of(table: PrintedTable) -> list[dict[str, str]]:
    names = [heading.text for heading in table.headings]
    return [dict(zip(names, (text.text for text in row), strict=True)) for row in table.rows]


def tables_of(summary: Summary) -> dict[str, PrintedTable]:
    tables = (*printed_tables(summary), left_of_1000(summary))
    return {table.name: table for table in tables}


def test_tables_when_a_run_has_several_loads_then_each_has_load_and_utilisation_side_by_side(folder: Path) -> None:
    tables = tables_of(summary_of(folder))
    assert {"throughput", "disconnects", "disconnects by kind", "delivery", "left of 1,000 drops"} <= tables.keys()
    for table in tables.values():
        names = [heading.text for heading in table.headings]
        assert names.index("busy") == names.index("load") + 1, table.name


def test_tables_when_they_have_the_same_cell_then_its_utilisation_is_that_of_throughput(folder: Path) -> None:
    tables = tables_of(summary_of(folder))
    of_churn = [row for row in rows_of(tables["throughput"]) if row["scenario"] == "churn"]
    expected = {tuple(row[name] for name in KEYS): row["busy"] for row in of_churn}
    for name in ("disconnects", "disconnects by kind", "left of 1,000 drops"):
        rows = rows_of(tables[name])
        assert {tuple(row[name] for name in KEYS): row["busy"] for row in rows} == expected, name


def test_tables_when_all_cells_have_one_relative_load_then_each_still_tells_it(folder: Path) -> None:
    one = Tables({table.name: frame.filter(load="60%") if "load" in frame.columns else frame
                  for table, frame in loaded_tables().items()})  # fmt: skip
    for table in tables_of(summary_of(folder, one)).values():
        assert {row["load"] for row in rows_of(table)} == {"60%"}, table.name


def test_tables_when_loads_are_absolute_and_nobody_told_how_busy_then_neither_is_a_column(folder: Path) -> None:
    tables = Tables.from_rows({"throughput": [throughput(1, None)], "disconnects": [dropped("rst", 1)]})
    for table in tables_of(summary_of(folder, tables)).values():
        assert not {"load", "busy"} & {heading.text for heading in table.headings}, table.name


def test_drops_when_each_kind_had_trials_of_its_own_then_the_utilisation_is_their_mean(folder: Path) -> None:
    kinds = {"fin": 0.4, "rst": 0.6}
    tables = Tables.from_rows({"throughput": [throughput(1, busy, drop=kind) for kind, busy in kinds.items()],
                               "disconnects": [dropped(kind, 1) for kind in kinds]})  # fmt: skip
    found = tables_of(summary_of(folder, tables))
    assert [row["busy"] for row in rows_of(found["disconnects"])] == ["0.50"]
    assert [row["busy"] for row in rows_of(found["disconnects by kind"])] == ["0.40", "0.60"]
    assert [row["busy"] for row in rows_of(found["left of 1,000 drops"])] == ["0.50"]


def test_drops_when_the_utilisation_of_some_trials_is_not_known_then_it_says_so_and_why(folder: Path) -> None:
    why = {"column": "throughput.utilisation", "why": "no probe told"}
    tables = Tables.from_rows({
        "throughput": [throughput(1, 0.4, drop="mixed"), throughput(1, None, drop="mixed", layer="redis")],
        "disconnects": [dropped("rst", 1), dropped("rst", 1, layer="redis")],
        "unknown": [{**key_row("redis", scenario="churn", drop="mixed"), **why}],
    })  # fmt: skip
    table = tables_of(summary_of(folder, tables))["disconnects"]
    assert {row["layer"]: row["busy"] for row in rows_of(table)} == {"inmemory": "0.40", "redis": "?"}
    assert any("no probe told" in note for note in table.notes)


def test_drops_when_they_are_not_known_of_trials_with_several_kinds_then_the_reason_is_found(folder: Path) -> None:
    not_known = {"dropped": 10, "disconnect_called": None, "missed": None, "unknown": 10}
    tables = Tables.from_rows({
        "throughput": [throughput(1, 0.4, drop="mixed")],
        "disconnects": [{**dropped("rst", 1), **not_known}],
        "unknown": [{**key_row("inmemory", scenario="churn", drop="mixed"), "column": "disconnects.missed",
                     "why": "a process was killed"}],
    })  # fmt: skip
    notes = tables_of(summary_of(folder, tables))["disconnects"].notes
    assert any("not known: a process was killed" in note for note in notes), notes
    assert not any("no reason was recorded" in note for note in notes)


def test_figures_when_no_trial_is_valid_then_that_is_the_reason_why_they_are_not_known(folder: Path) -> None:
    tables = Tables.from_rows({"throughput": [{**throughput(1, 0.4), "valid": "no", "messages_per_s": 5.0}]})
    notes = tables_of(summary_of(folder, tables))["throughput"].notes
    assert any("none of its trials is valid" in note for note in notes), notes
    assert not any("no reason was recorded" in note for note in notes)


def test_figures_when_two_rounds_are_far_apart_then_their_number_stands_for_the_interval_and_a_note_says_why(
    folder: Path,
) -> None:
    rows = [{**throughput(trial, 0.4), "latency_ms_p99": late, "messages_per_s": 100.0 + trial}
            for trial, late in ((1, 50.0), (2, 330.0))]  # fmt: skip
    table = tables_of(summary_of(folder, Tables.from_rows({"throughput": rows})))["throughput"]
    (row,) = rows_of(table)
    assert row["p99 ms"] == "128 (2 rounds: too few)" and row["messages/s"].startswith("101 (")
    assert any(note.startswith("Too few: ") for note in table.notes)
    (short,) = {text.short for text in table.rows[0] if "too few" in text.text}
    assert short == "128"


def test_figures_when_all_have_an_interval_then_no_note_tells_of_too_few_rounds(folder: Path) -> None:
    rows = [{**throughput(trial, 0.4), "latency_ms_p99": 50.0 + trial} for trial in (1, 2)]
    table = tables_of(summary_of(folder, Tables.from_rows({"throughput": rows})))["throughput"]
    assert not any("too few" in note.lower() for note in table.notes)


def test_figures_when_one_round_was_infinite_then_the_typical_one_stands_with_that_and_a_note(folder: Path) -> None:
    rows = [{**throughput(trial, 0.4), "latency_ms_p99": late} for trial, late in ((1, 17.0), (2, 18.0), (3, inf))]
    table = tables_of(summary_of(folder, Tables.from_rows({"throughput": rows})))["throughput"]
    assert [row["p99 ms"] for row in rows_of(table)] == ["18 (some round: never)"]
    assert any(note.startswith("Some round: never: ") for note in table.notes)


def throughput(trial: int, busy: float | None, *, drop: str = "mixed", layer: str = "inmemory") -> Row:
    return {**key_row(layer, scenario="churn", trial=trial, drop=drop), "valid": "yes", "utilisation": busy}


def dropped(kind: str, trial: int, *, layer: str = "inmemory") -> Row:
    counts = {"dropped": 10, "disconnect_called": 9, "missed": 1, "unknown": 0, "groups_left": 1}
    return {**key_row(layer, scenario="churn", trial=trial, drop=kind), **counts}
