"""Text of others is data: names, reasons and paths are shown as they are, escaped, bounded, and no formula."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from loadtest.figures.counts import MOST_VALUES, as_counter, counts_of, read, written
from loadtest.load.reasons import MOST_REASONS, OTHERS
from loadtest.printable import printable
from loadtest.report.console import PlainConsole
from loadtest.report.csv_files import as_it_was, harmless, read_tables, write_csv
from loadtest.report.tables import Tables
from loadtest.users.heard import Heard
from loadtest.wire.errors import HandshakeRefused
from tests.unit.command_line import nothing_starts, said_to
from tests.unit.report_folder import invented_tables

HOSTILE = "[/x][bold]:smile:\x1b[2J\x1b]0;title\x07\r\u202e=1+1"
SHOWN = "[/x][bold]:smile:\\x1b[2J\\x1b]0;title\\x07\\r\\u202e=1+1"


def test_text_when_it_has_what_cannot_be_seen_then_that_is_escaped() -> None:
    assert printable(HOSTILE) == SHOWN
    assert printable("é 日本\u00a0\udcff") == "é 日本\u00a0\\udcff"
    assert printable("a\nb\tc", keeping="\n") == "a\nb\\tc"


@given(st.text())
def test_text_when_it_is_anything_then_it_can_be_written_and_stays_what_it_is(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_console_when_text_of_others_is_printed_then_nothing_is_read_in_it(is_terminal: bool) -> None:
    written = io.StringIO()
    console = PlainConsole(file=written, force_terminal=is_terminal, color_system=None, width=200)
    table = Table(title=HOSTILE, box=None)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    console.print(HOSTILE)
    console.print(Text(HOSTILE))
    console.print(table)
    console.print(Text("red", style="red"), HOSTILE)
    assert printable(written.getvalue(), keeping="\n") == written.getvalue()
    assert written.getvalue().count("[/x][bold]:smile:\\x1b[2J") == 6


@pytest.mark.parametrize("text", [str, Text])
def test_console_when_escapes_make_a_text_wider_than_its_column_then_none_of_it_is_lost(
    text: type[str] | type[Text],
) -> None:
    written = io.StringIO()
    table = Table(box=None)
    table.add_row(text("\u202e word " * 20), text("beside"))
    PlainConsole(file=written, width=60).print(table)
    assert "".join(written.getvalue().split()).replace("beside", "") == "\\u202eword" * 20


def test_bench_when_a_reason_of_a_drop_looks_like_markup_then_the_bench_begins() -> None:
    with nothing_starts():
        assert said_to("bench", "--drops", "close:4000:[/x]", "--out", "a [/b]").code == 0


def test_reasons_when_a_server_gives_ever_new_ones_then_their_number_is_bounded() -> None:
    heard = Heard()
    reasons = [heard.reason("connection", f"\x1b[2J{n}", 4000 + n % 7) for n in range(10_000)]
    assert reasons[0] == "\\x1b[2J0"
    assert len(set(reasons)) == MOST_REASONS + 1
    assert reasons[-1] == OTHERS
    assert heard.reason("connection", "\x1b[2J0", 4000) == reasons[0], "those heard before are still told apart"
    assert heard.reason("open", "refused 503") == "refused 503", "each row has its own"


def test_reasons_when_a_server_gives_ever_new_codes_then_their_number_is_bounded() -> None:
    heard = Heard()
    told = {(code, heard.reason("connection", "server", code)) for code in range(3000, 5000)}
    assert sum(why == "server" for _, why in told) == MOST_REASONS


@pytest.mark.parametrize("status", [0, -1, 99, 1000, 10**4000], ids=["0", "-1", "99", "1000", "endless"])
def test_refusal_when_its_status_is_none_then_its_name_is_short_and_the_ledger_can_hold_it(status: int) -> None:
    refused = HandshakeRefused(status, "...")
    assert (refused.name, refused.status) == ("refused", 0)


def test_counts_when_there_are_ever_new_values_then_their_number_is_bounded_and_their_sum_is_right() -> None:
    values = [f"reason {n}" for n in range(500)] + ["often"] * 3
    counts = as_counter(counts_of(pl.Series("why", values)))
    assert len(counts) == MOST_VALUES + 1
    assert counts["often"] == 3
    assert counts.total() == len(values)
    assert counts["others"] == len(values) - 3 - (MOST_VALUES - 1)


def test_counts_when_a_value_has_what_stands_between_two_then_they_are_the_same_when_read() -> None:
    counted = counts_of(pl.Series("why", ["HTTP 500 a;b: c; d", "HTTP 500 a;b: c; d", "plain"]))
    frame = pl.DataFrame({"why": [counted]})
    assert read(frame.select(written("why")).item()) == counted


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "'=1", "''=1", "=", "'", "'a", "a=1", ""])
def test_csv_when_a_text_begins_like_a_formula_then_it_is_none_in_the_file_and_itself_when_read(text: str) -> None:
    frame = pl.DataFrame({"text": [text, None], "number": [-1, 1]})
    written = harmless(frame)
    assert not str(written["text"][0]).startswith(tuple("=+-@\t\r"))
    assert written["number"].to_list() == [-1, 1]
    assert as_it_was(written).equals(frame)


@given(st.text("'=+-@\ta\r\n"))
def test_csv_when_a_text_is_anything_then_it_is_itself_when_read(text: str) -> None:
    frame = pl.DataFrame({"text": [text]})
    assert as_it_was(harmless(frame)).equals(frame)


def test_tables_when_a_cause_is_a_formula_then_the_file_has_none_and_they_are_the_same_when_read(
    tmp_path: Path,
) -> None:
    tables = invented_tables(trials=1)
    frames = {name: tables.frame(name) for name in ("unknown", "drops")}
    formula = pl.lit("=HYPERLINK(1)")
    changed = {
        "unknown": frames["unknown"].with_columns(why=formula),
        "drops": frames["drops"].with_columns(ended_by=formula),
    }
    hostile = Tables({**{table.name: frame for table, frame in tables.items()}, **changed})
    write_csv(hostile, tmp_path)
    assert ",=HYPERLINK" not in (tmp_path / "unknown.csv").read_text()
    assert ",'=HYPERLINK" in (tmp_path / "drops.csv").read_text()
    assert read_tables(tmp_path).frame("drops")["ended_by"].equals(hostile.frame("drops")["ended_by"])
