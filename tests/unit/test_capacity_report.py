"""What a person reads of a capacity run: sentences, a table, a page and JSON, from the folder alone."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from loadtest.bench.plan import PlanError
from loadtest.cli.capacity_progress import ShownSearches
from loadtest.cli.main import app
from loadtest.report.capacity import (
    CapacityAnswers,
    answers_of,
    print_answers,
    read_steps,
    write_capacity_report,
    write_steps,
)
from loadtest.report.capacity.table import COLUMNS
from loadtest.report.capacity.words import lead_of, sentences
from loadtest.report.csv_files import read_tables
from loadtest.report.errors import ReportError
from tests.unit.capacity_runs import QueueServer, carry_out

TERMINAL_LINES = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the default cells of one layer, made once."""
    with pytest.MonkeyPatch.context() as patching:
        run, _ = carry_out(tmp_path_factory.mktemp("made"), QueueServer(), patching)
    return run


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / made.name))


def reported(out: Path, monkeypatch: pytest.MonkeyPatch, server: QueueServer, **given: Any) -> CapacityAnswers:
    run, _ = carry_out(out, server, monkeypatch, **given)
    return write_capacity_report(run)


def printed(answers: CapacityAnswers, width: int = 110) -> str:
    text = io.StringIO()
    print_answers(answers, Console(file=text, width=width), Path("results/x"))
    return text.getvalue()


def test_terminal_when_a_run_is_shown_then_the_answers_come_first_and_it_is_short(folder: Path) -> None:
    text = printed(write_capacity_report(folder))
    one_line = " ".join(text.split())
    assert one_line.startswith(
        "The most messages a second from each sender that keep latency_ms_p99 < 100, lost == 0 and not overloaded: "
        "3 searches in each cell. - redis, sync, broadcast: carries 3."
    )
    assert "What gave way first is the thread that sync consumers share, busy" in one_line
    assert "The knee is at about" in one_line
    assert "gave way first" in text and "event loop, 9" in text
    assert len(text.splitlines()) <= TERMINAL_LINES


def test_terminal_when_all_default_layers_are_measured_then_it_is_still_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(reported(tmp_path, monkeypatch, QueueServer(), layers="inmemory,redis,redis-pubsub", searches=2))
    assert len(text.splitlines()) <= TERMINAL_LINES + 5


def test_sentence_when_the_generator_was_the_limit_then_it_says_at_least_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.invalid_above = 100.0
    (text,) = sentences(reported(tmp_path, monkeypatch, server, consumers="async"))
    assert re.match(r"redis, async, broadcast: carries at least 1\.\d+ messages/s from each of 50 senders\.", text)
    assert "More cannot be measured here: the generator was busy 97% of the time" in text


def test_sentence_when_the_level_breaks_while_nothing_is_busy_then_it_says_what_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reported(tmp_path, monkeypatch, QueueServer(), consumers="async", keep=["latency_ms_p99 < 10"])
    (text,) = sentences(found)
    assert "Nothing was busy all the time: latency_ms_p99 < 10 broke while the event loop, the busiest, was" in text
    assert "level (event loop, 5" in printed(found)


def test_sentence_when_connections_were_raised_then_it_says_how_many_at_which_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reported(tmp_path, monkeypatch, QueueServer(), consumers="sync", of="users")
    assert lead_of(found).startswith("The most connections that keep")
    assert re.search(r"carries 9\d connections at 2 messages/s each \(95 %: ", sentences(found)[0])


def test_sentence_when_the_lowest_load_is_the_knee_then_it_says_at_or_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reported(tmp_path, monkeypatch, QueueServer(), consumers="sync", searches=1)
    steps = found.cells[0].steps
    lowest = min(step.rate for step in steps)
    fast = [replace(step, latency_ms_p99=0.1) if step.rate == lowest else step for step in steps]
    changed = answers_of(fast, found.manifest)
    assert f"The knee is at or below {lowest:.2f}, where p99 is 0.10 ms." in sentences(changed)[0]
    assert f"≤ {lowest:.2f}" in printed(changed)


def test_sentence_when_there_was_one_search_then_it_has_no_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = sentences(reported(tmp_path, monkeypatch, QueueServer(), consumers="sync", searches=1))
    assert "95 %" not in text and "(1 search)" in text


def test_scaling_when_it_is_not_known_then_the_report_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(reported(tmp_path, monkeypatch, QueueServer(), consumers="sync", workers="1,2", searches=1))
    assert "redis (uvicorn), sync, broadcast: the scalability law is not known, for" in " ".join(text.split())


def test_page_when_written_then_it_has_the_answers_the_curves_and_no_address_to_load_from(folder: Path) -> None:
    found = write_capacity_report(folder)
    page = (folder / "report.html").read_text()
    for sentence in sentences(found):
        assert sentence.replace("<", "&lt;") in page
    specs = re.findall(r'<script type="application/json" class="spec">(.*?)</script>', page)
    assert len(specs) == 2, "latency and utilisation, both consumers in one"
    rows = [row for spec in map(json.loads, specs) for data in spec["datasets"].values() for row in data]
    assert {row["outcome"] for row in rows if "outcome" in row} == {"kept", "broken"}
    assert any(row.get("beyond") for row in rows), "what never came is there"
    assert "<link" not in page and not re.search(r"<script[^>]+src=", page)


def test_json_when_written_then_it_has_each_cells_answer_and_is_strict(folder: Path) -> None:
    write_capacity_report(folder)

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    content = json.loads((folder / "summary.json").read_text(), parse_constant=refuse)
    assert [cell["kind"] for cell in content["cells"]] == ["found", "found"]
    assert content["cells"][0]["carries"]["low"] < content["cells"][0]["carries"]["estimate"]
    assert content["cells"][0]["gave_way"]["busiest"] == "sync thread"
    assert len(content["cells"][0]["searches"]) == 3


def test_steps_when_written_and_read_then_they_are_the_same(folder: Path) -> None:
    steps = list(read_steps(folder))
    assert (folder / "capacity.csv").read_text().splitlines()[0].split(",") == [column.name for column in COLUMNS]
    write_steps(steps, folder)
    assert list(read_steps(folder)) == steps


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "server,search\nuvicorn,x\n"])
def test_steps_when_the_file_is_spoilt_then_that_is_told(folder: Path, text: str) -> None:
    (folder / "capacity.csv").write_text(text)
    with pytest.raises(ReportError, match=r"could not read .*capacity\.csv"):
        read_steps(folder)


def test_report_when_given_a_capacity_run_then_it_shows_it_anew(folder: Path) -> None:
    shown = CliRunner().invoke(app, ["report", str(folder)])
    assert shown.exit_code == 0 and "redis, sync, broadcast: carries" in " ".join(shown.output.split())
    refused = CliRunner().invoke(app, ["report", str(folder), "--fail-on", "lost > 0"])
    assert isinstance(refused.exception, PlanError)


def test_tables_of_a_bench_when_a_capacity_run_is_given_then_it_is_named_as_such(folder: Path) -> None:
    with pytest.raises(ReportError, match="is a capacity run, which only `report` can read"):
        read_tables(folder)


def test_progress_when_steps_are_done_then_each_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, told = carry_out(tmp_path, QueueServer(), monkeypatch, consumers="async", searches=1)
    text = io.StringIO()
    shown = ShownSearches(Console(file=text, width=200), "rate")
    shown.search_begins(told.steps[0].cell, 1, place=1, of=1)
    for step in told.steps:
        shown.step_done(step)
    shown.search_done(told.steps[0].cell, told.ends[0])
    lines = text.getvalue().splitlines()
    assert lines[0] == "[1/1] redis async broadcast, search 1"
    assert len(lines) == len(told.steps) + 2
    assert re.match(r"  1\.\d+ messages/s each: kept, p99 5\.\d+ ms, event loop [\d.]+ % busy", lines[1])


def test_command_when_the_plan_is_bad_then_all_problems_are_told() -> None:
    refused = CliRunner().invoke(app, ["capacity", "--workers", "2", "--servers", "daphne", "--keep", "x > 1"])
    assert isinstance(refused.exception, PlanError)
    assert "workers: daphne" in str(refused.exception) and "keep: 'x > 1'" in str(refused.exception)
