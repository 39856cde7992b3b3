"""summary.json and the terminal: made from the folder alone, whole or cut short."""

import io
import json
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from loadtest.checks.throughput.table import CPU_PER_1000, MESSAGES_PER_S
from loadtest.dimensions import CONSUMER, DROP, LAYER, SCENARIO
from loadtest.figures.cell import Cell
from loadtest.report import ReportError, Summary, Tables, print_report, write_csv, write_report
from loadtest.report.columns import FORMAT_VERSION, KEY_NAMES
from loadtest.report.csv_files import read_tables
from loadtest.report.manifest import read_manifest
from loadtest.report.printed import printed_tables
from tests.unit.report_folder import key_row, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def summary(folder: Path) -> Summary:
    return write_report(folder)


def cell_of(summary: Summary, layer: str, consumer: str, scenario: str, drop: str) -> Cell:
    (cell,) = [
        c
        for c in summary.cells
        if (c.key[LAYER], c.key[CONSUMER], c.key[SCENARIO], c.key[DROP]) == (layer, consumer, scenario, drop)
    ]
    return cell


def test_summary_json_has_every_trial_median_and_finding(folder: Path, summary: Summary) -> None:
    content = json.loads((folder / "summary.json").read_text())
    assert content["format"] == FORMAT_VERSION
    assert len(content["cells"]) == len(summary.cells) == 18 + 24
    assert sum("throughput.sent" in t["figures"] for c in content["cells"] for t in c["trials"]) == 53
    assert len(content["findings"]) == len(summary.findings)
    assert {"column", "why", "trial", "cell"} <= content["unknown"][0].keys()


def test_invalid_trial_is_left_out_of_the_median_and_counted(summary: Summary) -> None:
    figure = cell_of(summary, "redis", "async", "echo", "none").median(MESSAGES_PER_S)
    assert (figure.known, figure.left_out) == (2, 1)


def test_failed_trial_is_absent_and_not_zero(summary: Summary) -> None:
    assert cell_of(summary, "redis-pubsub", "sync", "broadcast", "none").median(CPU_PER_1000).trials == 2


def test_row_of_no_drop_does_not_apply_rather_than_being_unknown(tmp_path: Path) -> None:
    write_folder(tmp_path)
    names, first = (line.split(",") for line in (tmp_path / "disconnects.csv").read_text().splitlines()[:2])
    counts = dict.fromkeys(("dropped", "disconnect_called", "missed", "unknown", "groups_left", "tasks_left"), "0")
    row = dict.fromkeys(names, "") | dict(zip(names[: len(KEY_NAMES)], first[: len(KEY_NAMES)], strict=True)) | counts
    (tmp_path / "disconnects.csv").write_text(f"{','.join(names)}\n{','.join(row.values())}\n")
    for name in ("drops.csv", "unknown.csv"):
        (tmp_path / name).write_text((tmp_path / name).read_text().splitlines()[0] + "\n")
    summary = write_report(tmp_path)
    (table,) = [t for t in printed_tables(summary) if t.name == "disconnects by kind"]
    shown = dict(zip([h.text for h in table.headings], [t.text for t in table.rows[0]], strict=True))
    assert shown["call ms"] == "·"
    assert shown["codes"] == "·"
    assert shown["missed"] == "0"


def test_printed_drops_add_up_in_every_row(summary: Summary) -> None:
    (table,) = [t for t in printed_tables(summary) if t.name == "disconnects by kind"]
    names = [heading.text for heading in table.headings]
    for row in table.rows:
        count = {name: int(text.text.split(" ")[0].replace(",", "")) for name, text in zip(names, row, strict=True)
                 if name in ("dropped", "called", "missed", "unknown")}  # fmt: skip
        assert count["dropped"] == count["called"] + count["missed"] + count["unknown"]


def test_unknown_is_explained_below_the_table(summary: Summary) -> None:
    notes = " ".join(note for table in printed_tables(summary) for note in table.notes)
    assert "the server ended before it had settled: redis-pubsub, async, churn, rst, trial 1" in notes
    assert "not valid" in notes


def test_terminal_is_plain_when_piped(folder: Path, summary: Summary) -> None:
    text = printed(summary, folder, width=80)
    assert "\x1b" not in text
    assert "…" not in text
    assert "redis-pubsub" in text
    assert f"Report: {folder / 'report.html'}" in text


def test_terminal_reads_well_at_100_columns(folder: Path, summary: Summary) -> None:
    text = printed(summary, folder, width=100, terminal=True)
    assert "…" not in text
    assert "2 of 3" in text


def test_no_names_are_cut_at_100_columns_with_guarded_consumers(tmp_path: Path) -> None:
    write_folder(tmp_path, consumers=("sync", "async", "sync-guarded", "async-guarded"))
    text = printed(write_report(tmp_path), tmp_path, width=100, terminal=True)
    assert "…" not in text
    assert "async-guarded" in text


def test_terminal_with_large_counts_keeps_within_110_columns(tmp_path: Path) -> None:
    write_folder(tmp_path, consumers=("sync-guarded", "async-guarded"))
    key = key_row(layer="redis-pubsub", consumer="async-guarded", scenario="churn", drop="close-nowait")
    counts = {"dropped": 12345, "disconnect_called": 12000, "missed": 345, "unknown": 0, "never_reached": 1234,
              "detect_ms_p50": 123.4, "detect_ms_p99": 1234.5, "detect_ms_max": 12345.6,
              "codes": {"1006": 10000, "1012": 2000},
              **dict.fromkeys(("groups_left", "queues_left", "tasks_left", "presence_left"), 345)}  # fmt: skip
    write_csv(Tables.from_rows({"disconnects": [{**key, **counts}]}), tmp_path)
    text = printed(write_report(tmp_path), tmp_path, width=110)
    table = text.split("What was found")[0]
    assert max(map(len, table.splitlines())) <= 110
    (at,) = (
        place for place, line in enumerate(table.splitlines()) if "redis-pubsub async-guarded close-nowait" in line
    )
    assert "345/345/" in table.splitlines()[at]
    assert "…" not in table


def test_terminal_prints_at_most_25_sentences_and_counts_the_rest(tmp_path: Path) -> None:
    write_folder(tmp_path, consumers=("sync", "async", "sync-guarded", "async-guarded"))
    summary = write_report(tmp_path)
    text = printed(summary, tmp_path, width=110).split("What was found")[1]
    sentences = [line for line in text.splitlines() if line.startswith(("warn ", "note ", "good ", "? "))]
    assert 10 < len(sentences) <= 25
    assert f"{len(summary.findings) - len(sentences)} more sentences in report.html" in text


def test_terminal_names_the_command_for_a_missed_disconnect_on_a_line_of_its_own(tmp_path: Path) -> None:
    write_folder(tmp_path)
    text = printed(write_report(tmp_path), tmp_path, width=60)
    commands = [line.strip() for line in text.splitlines() if line.strip().startswith("channels-loadtest show")]
    assert commands
    assert all("-churn-mixed/" in command for command in commands)


@pytest.mark.parametrize("has_tables", [True, False])
def test_run_with_no_trial_done_has_a_report(tmp_path: Path, has_tables: bool) -> None:
    write_folder(tmp_path, scenarios=(), state="interrupted")
    if has_tables:
        write_csv(Tables.empty(), tmp_path)
    else:
        for path in tmp_path.glob("*.csv"):
            path.unlink()
    summary = write_report(tmp_path)
    assert summary.cells == ()
    assert "was interrupted" in (tmp_path / "report.html").read_text()
    assert "No trial was finished" in printed(summary, tmp_path)


def test_folder_without_manifest_is_refused_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="pass the folder of a run"):
        write_report(tmp_path)


def test_bad_manifest_names_all_that_is_wrong(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": 1, "name": "x", "state": "lost", "planned": "many"}')
    with pytest.raises(ReportError, match=r"started_utc.*state.*planned.*done"):
        read_manifest(tmp_path)


def test_manifest_of_a_later_format_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    content = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**content, "format": FORMAT_VERSION + 1}))
    with pytest.raises(ReportError, match=f"format {FORMAT_VERSION + 1}"):
        read_manifest(tmp_path)


def test_invented_folder_is_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    again = write_folder(tmp_path)
    assert read_tables(again).frame("timeline").equals(read_tables(folder).frame("timeline"))


def printed(summary: Summary, folder: Path, *, width: int = 100, terminal: bool = False) -> str:
    file = io.StringIO()
    print_report(summary, Console(file=file, width=width, force_terminal=terminal, color_system=None), folder)
    return file.getvalue()


def test_terminal_when_no_trial_of_a_cell_is_valid_then_that_is_why_its_figures_are_not_known(tmp_path: Path) -> None:
    write_folder(tmp_path, scenarios=("churn",))
    path = tmp_path / "throughput.csv"
    pl.read_csv(path).with_columns(valid=pl.lit("no")).write_csv(path)
    text = printed(write_report(tmp_path), tmp_path, width=110)
    assert "? not known: none of its trials is valid: inmemory, sync, churn, mixed drops and 5 more." in text
    assert "no reason was recorded" not in text
