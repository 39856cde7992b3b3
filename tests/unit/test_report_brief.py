"""The brief report: what the default bench ends with, in a terminal of 100 columns and in a pipe."""

import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from loadtest.cli.output import Output
from loadtest.report.answers import Answer, answers_of
from loadtest.report.brief import print_brief
from loadtest.report.folder import read_folder
from loadtest.report.summary import Summary, summarise
from loadtest.report.tables import Tables
from tests.unit.command_line import said_to
from tests.unit.report_folder import write_folder

PROJECT = Path(__file__).resolve().parent.parent.parent
REFERENCE = PROJECT / "results" / "reference"
NAME = Path("results/20261121T193803Z-quick")
"""As a bench names its folder."""
MOST_LINES = 45
WIDTH = 100


@cache
def summary_of(run: Path = REFERENCE) -> Summary:
    manifest, tables = read_folder(run)
    return summarise(tables, manifest)


def printed(summary: Summary, *, is_terminal: bool, width: int = WIDTH, colours: bool = False) -> str:
    file = io.StringIO()
    system: Literal["truecolor"] | None = "truecolor" if colours else None
    print_brief(summary, Console(file=file, width=width, force_terminal=is_terminal, color_system=system), NAME)
    return file.getvalue()


def shown_lines(text: str) -> int:
    """The lines on a screen: commands to copy are not broken by us, but by the terminal."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return sum(max(1, -(-len(line.rstrip()) // WIDTH)) for line in plain.splitlines())


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])
def test_brief_when_the_default_bench_is_told_then_it_fits_45_lines_of_100_columns(*, is_terminal: bool) -> None:
    text = printed(summary_of(), is_terminal=is_terminal)
    assert shown_lines(text) <= MOST_LINES
    wide = [line for line in text.splitlines() if len(line.rstrip()) > WIDTH]
    assert all("channels-loadtest show " in line for line in wide)
    for each in ("sync missed 15 % (11–20)", "182 of 3,159", "5,707", "redis-pubsub", "report.html", "--verbose"):
        assert each in text


def test_brief_when_it_is_piped_then_no_control_code_is_in_it_and_in_a_terminal_there_is() -> None:
    assert "\x1b" not in printed(summary_of(), is_terminal=False, colours=True)
    assert "\x1b" in printed(summary_of(), is_terminal=True, colours=True)


def test_brief_when_a_terminal_has_80_columns_then_every_row_of_the_tables_stays_on_one_line() -> None:
    lines = printed(summary_of(), is_terminal=True, width=80).partition("Throughput and latency")[2].splitlines()
    rows = [line for line in lines if line.startswith(("inmemory ", "redis ", "redis-pubsub "))]
    assert len(rows) == 14 + 12


def test_brief_when_trials_failed_or_do_not_count_then_it_says_so_first(tmp_path: Path) -> None:
    text = printed(summary_of(write_folder(tmp_path)), is_terminal=False)
    assert text.startswith("1 trial failed; 1 trial left out")


def test_brief_when_no_trial_was_finished_then_it_says_so(tmp_path: Path) -> None:
    write_folder(tmp_path, scenarios=())
    manifest, _ = read_folder(tmp_path)
    assert "no trial was finished" in printed(summarise(Tables.empty(), manifest), is_terminal=False)


def answers(summary: Summary) -> dict[str, Answer]:
    return {answer.asks: answer for answer in answers_of(summary)}


def test_answers_when_the_default_bench_is_asked_then_each_has_its_figure_and_how_sure_it_is() -> None:
    found = answers(summary_of())
    assert list(found) == ["Missed disconnects", "Why", "Left behind", "Speed", "How sure"]
    missed = found["Missed disconnects"].text
    for each in ("80% load", "15 % (11–20)", "3.2 % (1.9–5.2)", "sync missed more", "uvicorn", "3 rounds", "on redis"):
        assert each in missed
    assert "django/channels#1466" in found["Why"].text
    assert found["Why"].example.startswith("uvicorn-1-")
    assert "2.4 times (1.9–3.0)" in found["Speed"].text
    assert "3 rounds" in found["How sure"].text


def test_answers_when_nothing_was_missed_then_it_is_said_how_many_may_be(tmp_path: Path) -> None:
    run = write_folder(tmp_path, layers=("inmemory",), scenarios=("churn",))
    found = answers(summary_of(run))
    assert re.search(
        r"Each of \d+ dropped connections had disconnect\(\) called; at most [\d.]+ % may be missed",
        found["Missed disconnects"].text,
    )
    assert found["Missed disconnects"].severity == "good"
    assert "Why" not in found
    assert "None of" in found["Left behind"].text


def test_answers_when_there_is_one_consumer_then_they_are_of_it_alone(tmp_path: Path) -> None:
    found = answers(summary_of(write_folder(tmp_path, consumers=("sync",), layers=("redis",), trials=2)))
    assert re.match(
        r"In churn sync missed [\d.]+ % .* on uvicorn with the layer redis \(2 rounds\)",
        found["Missed disconnects"].text,
    )
    assert "messages a second" in found["Speed"].text and "latency p99" in found["Speed"].text


def test_answers_when_nothing_was_dropped_then_they_are_of_speed_alone(tmp_path: Path) -> None:
    found = answers(summary_of(write_folder(tmp_path, scenarios=("echo",))))
    assert list(found) == ["Not whole", "Speed", "How sure"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("run"))


def test_report_when_it_is_to_be_quiet_then_the_verdict_alone_is_printed(run: Path) -> None:
    brief, quiet = said_to("report", str(run)), said_to("report", str(run), "--quiet")
    assert (brief.code, quiet.code) == (0, 0)
    assert brief.out.startswith(quiet.out)
    assert "Throughput and latency" not in quiet.out
    assert len(quiet.out.splitlines()) <= 10 < len(brief.out.splitlines())


def test_report_when_it_is_to_be_verbose_then_it_has_every_table_and_the_findings(run: Path) -> None:
    said = said_to("report", str(run), "--verbose")
    assert "Messages and the members they were meant for" in said.out
    assert "What was found" in said.out


@pytest.mark.parametrize("arguments", [["--format", "json"], ["--format", "json", "--out", "told.json"]])
def test_report_when_json_is_asked_for_then_it_is_summary_json(
    run: Path, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = said_to("report", str(run), *arguments)
    told = (tmp_path / "told.json").read_text() if "--out" in arguments else said.out
    assert told == (run / "summary.json").read_text()
    assert said.err == ""


@pytest.mark.parametrize(
    "arguments", [["--verbose", "--quiet"], ["--format", "md", "--verbose"], ["--out", "somewhere"]]
)
def test_report_when_options_contradict_then_one_message_refuses_them(run: Path, arguments: list[str]) -> None:
    said = said_to("report", str(run), *arguments)
    assert said.code == 2
    assert said.is_one_message


def test_output_when_it_is_json_then_everything_else_goes_to_standard_error(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Output(as_json=True)
    output.beside().print("48 trials")
    output.show(summary_of(run), run)
    said = capsys.readouterr()
    assert said.err == "48 trials\n"
    assert json.loads(said.out)["name"] == "invented"


def test_output_when_the_environment_says_no_color_then_a_terminal_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    print_brief(summary_of(), Console(file=file, width=WIDTH, force_terminal=True), NAME)
    codes = set(re.findall(r"\x1b\[([0-9;]*)m", file.getvalue()))
    assert codes <= {"", "0", "1", "3"}, "bold and italic are no colours"
