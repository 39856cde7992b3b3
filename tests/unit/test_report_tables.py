"""Tables go to CSV files and come back the same, or say what is wrong."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.report import ReportError, Tables, read_tables, write_csv
from loadtest.report.columns import TABLES
from loadtest.report.printed import _concerns
from loadtest.report.summary import UnknownFigure
from tests.unit.report_folder import invented_tables, key_row


def test_tables_written_and_read_are_the_same(tmp_path: Path) -> None:
    tables = invented_tables()
    write_csv(tables, tmp_path)
    again = read_tables(tmp_path)
    for name in TABLES:
        assert again.frame(name).equals(tables.frame(name)), name


def test_empty_tables_written_and_read_have_all_columns(tmp_path: Path) -> None:
    write_csv(Tables.empty(), tmp_path)
    again = read_tables(tmp_path)
    for name, table in TABLES.items():
        assert again.frame(name).columns == [column.name for column in table.columns]
        assert again.frame(name).height == 0


def test_figures_left_out_of_a_row_are_null_and_not_zero(tmp_path: Path) -> None:
    write_csv(Tables.from_rows({"delivery": [{**key_row(), "expected": 5}]}), tmp_path)
    row = read_tables(tmp_path).frame("delivery").row(0, named=True)
    assert row["expected"] == 5
    assert row["lost"] is None


def test_columns_that_an_older_run_does_not_have_are_not_known(tmp_path: Path) -> None:
    write_csv(invented_tables(), tmp_path)
    older = pl.read_csv(tmp_path / "delivery.csv").drop("deaf_example", "lost_example")
    older.write_csv(tmp_path / "delivery.csv")
    delivery = read_tables(tmp_path).frame("delivery")
    assert delivery.columns == [column.name for column in TABLES["delivery"].columns]
    assert delivery["deaf_example"].null_count() == delivery["lost_example"].null_count() == delivery.height


def test_nan_becomes_null() -> None:
    tables = Tables.from_rows({"throughput": [{**key_row(), "latency_ms_p50": float("nan")}]})
    assert tables.frame("throughput")["latency_ms_p50"].to_list() == [None]


def test_extended_keeps_both_and_refuses_the_same_trial_twice() -> None:
    one = Tables.from_rows({"throughput": [{**key_row(trial=1), "sent": 1}]})
    two = Tables.from_rows({"throughput": [{**key_row(trial=2), "sent": 2}]})
    assert one.extended(two).frame("throughput")["sent"].to_list() == [1, 2]
    with pytest.raises(ReportError, match="twice"):
        one.extended(one)


def test_columns_in_another_order_are_put_in_order() -> None:
    tables = invented_tables()
    frames = {name: tables.frame(name) for name in TABLES}
    frames["delivery"] = frames["delivery"].select(reversed(frames["delivery"].columns))
    assert Tables(frames).frame("delivery").equals(tables.frame("delivery"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"speed": []}, "no table speed"),
        ({"delivery": [{**key_row(), "gone": 1}]}, "no column gone"),
        ({"delivery": [{**key_row(), "lost": "many"}]}, "wrong type"),
        ({"delivery": [{"layer": "redis"}]}, "key column server is empty"),
    ],
)
def test_bad_rows_are_refused_in_plain_words(rows: dict[str, list[dict[str, Any]]], message: str) -> None:
    with pytest.raises(ReportError, match=message):
        Tables.from_rows(rows)


def test_decimals_in_a_column_of_whole_numbers_are_refused() -> None:
    tables = Tables.from_rows({"delivery": [key_row()]})
    frames = {name: tables.frame(name) for name in TABLES}
    frames["delivery"] = frames["delivery"].with_columns(lost=pl.lit(0.5))
    with pytest.raises(ReportError, match="column lost"):
        Tables(frames)


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    write_csv(Tables.empty(), tmp_path)
    (tmp_path / "residue.csv").unlink()
    (tmp_path / "unknown.csv").unlink()
    with pytest.raises(ReportError, match=r"residue\.csv, unknown\.csv missing"):
        read_tables(tmp_path)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00\x01", "server,workers\nu"])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, text: str) -> None:
    write_csv(Tables.empty(), tmp_path)
    (tmp_path / "delivery.csv").write_text(text)
    with pytest.raises(ReportError, match=r"delivery\.csv"):
        read_tables(tmp_path)


def test_a_wrong_value_is_named_by_file_and_column(tmp_path: Path) -> None:
    write_csv(invented_tables(), tmp_path)
    path = tmp_path / "disconnects.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace("uvicorn,1,", "uvicorn,one,")
    path.write_text("\n".join(lines))
    with pytest.raises(ReportError, match=r"disconnects\.csv.*column workers"):
        read_tables(tmp_path)


def test_writing_into_no_folder_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="could not write"):
        write_csv(Tables.empty(), tmp_path / "gone")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(invented_tables(), tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    def disk_full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", disk_full)
    with pytest.raises(ReportError, match="No space left"):
        write_csv(Tables.empty(), tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_tables_of_an_older_format_are_read_under_their_names_of_today(tmp_path: Path) -> None:
    key = key_row(scenario="churn", drop="rst")
    rows = {"throughput": [{**key, "ended_unexpectedly": 3, "unexpected_example": "a/1:5"}],
            "disconnects": [{**key, "codes": {"1005": 38, "1006": 2}, "causes": {"handler busy": 3}}]}  # fmt: skip
    tables = Tables.from_rows(rows)
    write_csv(tables, tmp_path)
    newer = ("broker_cpu_s", "open_failed", "open_failures")
    old = pl.read_csv(tmp_path / "throughput.csv").drop(newer)
    old.rename({"ended_unexpectedly": "ended_unasked", "unexpected_example": "unasked_example"}).write_csv(
        tmp_path / "throughput.csv"
    )
    text = (tmp_path / "disconnects.csv").read_text()
    assert "1005:38; 1006:2" in text
    (tmp_path / "disconnects.csv").write_text(text.replace("1005:38; 1006:2", "1005:38 1006:2"))
    again = read_tables(tmp_path)
    assert all(again[table].equals(frame) for table, frame in tables.items())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("layer queues, of nobody", "orphaned layer queues"),
        ("layer queues, empty", "empty layer queues"),
        ("layer subscriptions, of nobody", "orphaned layer subscriptions"),
        ("memory, kB", "memory in kB"),
    ],
)
def test_residue_of_an_older_format_is_read_under_the_kinds_names_of_today(tmp_path: Path, old: str, new: str) -> None:
    tables = Tables.from_rows({"residue": [{**key_row(), "kind": new, "left": 1}]})
    write_csv(tables, tmp_path)
    text = (tmp_path / "residue.csv").read_text()
    assert new in text
    (tmp_path / "residue.csv").write_text(text.replace(new, f'"{old}"'))
    assert read_tables(tmp_path).frame("residue").equals(tables.frame("residue"))


def test_residue_of_a_kind_that_nothing_counts_is_refused() -> None:
    with pytest.raises(ReportError, match="rows of 'thread', which nothing counts"):
        Tables.from_rows({"residue": [{**key_row(), "kind": "thread", "left": 1}]})


def test_table_that_there_is_none_of_raises() -> None:
    with pytest.raises(KeyError):
        Tables.empty().frame("speed")


def test_reason_when_it_is_of_a_trial_with_several_kinds_of_drop_then_the_rows_of_each_have_it() -> None:
    mixed = CellKey(scenario="churn", drop=MIXED_DROPS)
    figure = UnknownFigure(cell=mixed, trial=1, column="disconnects.presence_left", why="the app does not tell")
    assert _concerns(figure, DISCONNECTS, {mixed.having(DROP, "rst")})
    assert not _concerns(figure, DISCONNECTS, {CellKey(scenario="bursts", drop="rst")})
