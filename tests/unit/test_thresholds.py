"""Thresholds: how they are written, which cells break them, and what the command line makes of it."""

from __future__ import annotations

import json
import re
import sys
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from loadtest.bench.plan import PlanError
from loadtest.cli.main import main
from loadtest.cli.thresholds import print_thresholds
from loadtest.dimensions import CellKey
from loadtest.figures.threshold import parse_threshold
from loadtest.report.csv_files import read_tables
from loadtest.report.formats import junit, markdown
from loadtest.report.manifest import read_manifest
from loadtest.report.summary import Summary, summarise
from loadtest.report.thresholds import FIGURES, broken_in, read_thresholds
from tests.unit.plans import make_plan
from tests.unit.report_folder import write_folder

KEY = CellKey(layer="redis", consumer="sync", scenario="churn", drop="close:4001")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def summary(run: Path) -> Summary:
    return summarise(read_tables(run), read_manifest(run))


def broken(summary: Summary, *texts: str) -> list[tuple[str, str]]:
    """Each broken row: its cell's name and what it says."""
    namer = summary.evidence.namer
    return [(namer.name(one.cell) if one.cell else "", one.says) for one in broken_in(summary, read_thresholds(texts))]


@pytest.mark.parametrize(
    ("text", "selector", "operator", "limit"),
    [
        ("missed_share > 0.05", {}, ">", 0.05),
        ("missed_share>.05", {}, ">", 0.05),
        ("  missed_share  <=  1e-3 ", {}, "<=", 0.001),
        ("missed_share != -1", {}, "!=", -1),
        ("consumer=sync layer=redis: missed_share == 0", {"consumer": "sync", "layer": "redis"}, "==", 0),
        ("drop=close:4001: missed_share >= 0.5", {"drop": "close:4001"}, ">=", 0.5),
        (": missed_share < 1", {}, "<", 1),
    ],
)
def test_parse_when_it_is_a_threshold_then_its_parts_are_there(
    text: str, selector: dict[str, str], operator: str, limit: float
) -> None:
    found = parse_threshold(text, FIGURES)
    assert (found.selector, found.figure, found.operator, found.limit) == (selector, "missed_share", operator, limit)


@pytest.mark.parametrize("figure", ["delivery.lost", "residue.left.layer queues", "latency_ms_p99", "server_cpu_s"])
def test_parse_when_a_figure_is_named_by_table_or_kind_then_it_is_found(figure: str) -> None:
    assert parse_threshold(f"{figure} > 0", FIGURES).figure == figure


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no threshold; write"),
        ("missed_share", "is no threshold; write"),
        ("missed_share > ", "is no threshold; write"),
        ("missed_share = 0", "is no threshold; write"),
        ("0.05 < missed_share", "is no threshold; write"),
        ("missed_share > 5%", "is no threshold; write"),
        ("missed_share > much", "'much' is no number"),
        ("missed_share > nan", "'nan' is no number"),
        ("mist_share > 0", "no figure 'mist_share'; there are "),
        ("unknown > 0", "delivery.unknown, "),
        ("consumers=sync: missed_share > 0", "no dimension 'consumers' to select by; there are server, workers, "),
        ("consumer=: missed_share > 0", "consumer has no value"),
        ("consumer: missed_share > 0", "consumer has no value"),
        ("consumer=sync consumer=async: missed_share > 0", "selected twice"),
    ],
)
def test_parse_when_it_is_none_then_it_is_refused_and_told_what_there_is(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_threshold(text, FIGURES)


def test_read_when_several_are_bad_then_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"mist_share.*no figure 'x'.*no number"):
        read_thresholds(["mist_share > 0", "x > y", "missed_share > 0"])


def test_selects_when_all_values_are_those_of_the_cell_then_it_is_meant() -> None:
    assert parse_threshold("drop=close:4001 workers=1: missed_share > 0", FIGURES).selects(KEY)
    assert not parse_threshold("drop=close:4001 consumer=async: missed_share > 0", FIGURES).selects(KEY)


def test_broken_when_a_condition_holds_then_each_cell_is_told_with_its_figure(summary: Summary) -> None:
    found = broken(summary, "scenario=echo: latency_ms_p50 > 2")
    assert {name for name, _ in found} == {
        "inmemory, sync, echo",
        "redis, sync, echo",
        "redis, async, echo",
        "redis-pubsub, sync, echo",
    }
    assert all(float(says) > 2 for _, says in found)
    assert broken(summary, "scenario=echo: latency_ms_p50 > 100") == []


def test_broken_when_kinds_of_drop_are_mixed_then_the_share_is_that_of_all(summary: Summary) -> None:
    found = broken(summary, "layer=redis consumer=sync: missed_share > 0.001")
    assert [name for name, _ in found] == ["redis, sync, churn, mixed drops"]
    cells = [cell for cell in summary.cells if cell.key.as_row()["layer"] == "redis"]
    sync = [cell for cell in cells if cell.key.as_row()["consumer"] == "sync"]
    missed, called = (
        sum(total.total or 0 for cell in sync for column, total in cell.totals.items() if str(column) == name)
        for name in ("disconnects.missed", "disconnects.disconnect_called")
    )
    assert float(found[0][1]) == pytest.approx(missed / (missed + called), rel=1e-4)


def test_broken_when_a_kind_of_drop_is_selected_then_it_alone_is_judged(summary: Summary) -> None:
    found = broken(summary, "layer=redis consumer=sync drop=rst: missed_share > 0.01")
    assert [name for name, _ in found] == ["redis, sync, churn, rst"]
    assert broken(summary, "layer=redis consumer=sync drop=close: missed_share > 0") == []


def test_broken_when_single_things_are_counted_then_the_sum_of_the_trials_is_judged(summary: Summary) -> None:
    cell = next(cell for cell in summary.cells if cell.key.folder == "uvicorn-1-redis-sync-churn-mixed")
    lost = next(total.total for column, total in cell.totals.items() if str(column) == "delivery.lost")
    assert lost and broken(summary, f"consumer=sync scenario=churn layer=redis: lost >= {lost}")
    assert not broken(summary, f"consumer=sync scenario=churn layer=redis: lost > {lost}")


def test_broken_when_times_of_kinds_have_no_sum_then_each_kind_is_judged(summary: Summary) -> None:
    found = broken(summary, "layer=redis consumer=async: detect_ms_p50 >= 0")
    assert {name.rpartition(", ")[2] for name, _ in found} == {"close", "fin", "rst", "midframe"}


def test_broken_when_a_figure_is_not_known_then_it_cannot_keep_a_threshold(summary: Summary) -> None:
    found = broken(summary, "layer=redis-pubsub consumer=async: lost > 1000000")
    assert found == [("redis-pubsub, async, churn, mixed drops", "not known")]


@pytest.mark.parametrize("text", ["layer=redis-stock: lost > 0", "residue.left.layer sockets > 0"])
def test_broken_when_no_cell_has_it_then_nothing_was_kept(summary: Summary, text: str) -> None:
    assert broken(summary, text) == [("", "no cell has it")]


def report(monkeypatch: pytest.MonkeyPatch, run: Path, *texts: str) -> int:
    """Run `report` with these thresholds; return its exit code."""
    options = [part for text in texts for part in ("--fail-on", text)]
    monkeypatch.setattr(sys, "argv", ["channels-loadtest", "report", str(run), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_report_when_thresholds_are_broken_kept_or_bad_then_its_exit_code_says_so(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(monkeypatch, run) == 0
    assert report(monkeypatch, run, "lost_share > 0.5", "duplicated > 0") == 1, "one count is not known"
    printed = capsys.readouterr().out
    assert "Broken: lost_share > 0.5\n  redis-pubsub, async, churn, mixed drops: not known" in printed
    assert report(monkeypatch, run, "scenario=echo: latency_ms_p50 > 100") == 0
    assert "All thresholds are kept: scenario=echo: latency_ms_p50 > 100" in capsys.readouterr().out
    assert report(monkeypatch, run, "x > 0") == 2
    assert "--fail-on 'x > 0': there is no figure 'x'" in capsys.readouterr().err


def test_plan_when_it_has_thresholds_then_they_are_kept_with_it() -> None:
    plan = make_plan({"fail_on": ["missed_share > 0.05", "layer=redis: lost > 0"]})
    assert json.loads(plan.model_dump_json())["fail_on"] == ["missed_share > 0.05", "layer=redis: lost > 0"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mist_share > 0", "fail_on: 'mist_share > 0': there is no figure"),
        ("layer=redis-stock: lost > 0", "fail_on: 'layer=redis-stock: lost > 0': the plan has no layer 'redis-stock'"),
        ("workers=2: lost > 0", "the plan has no workers '2'"),
    ],
)
def test_plan_when_a_threshold_is_bad_then_it_is_refused_before_anything_runs(text: str, says: str) -> None:
    with pytest.raises(PlanError) as refused:
        make_plan({"fail_on": [text], "users": 0})
    assert says in str(refused.value)
    assert "users: " in str(refused.value), "all problems at once"


def test_plan_when_a_threshold_selects_a_drop_or_none_then_it_is_taken() -> None:
    for text in ("drop=mixed: lost > 0", "drop=none: lost > 0", "drop=rst: missed > 0", "workers=1: lost > 0"):
        assert make_plan({"fail_on": [text]}).fail_on == (text,)


def test_report_when_it_is_for_a_ci_job_then_each_threshold_and_cell_is_a_row_and_a_test_case(
    run: Path, summary: Summary
) -> None:
    thresholds = read_thresholds(["layer=redis: missed_share > 0.03", "lost > 1000"])
    page, cases = markdown(summary, thresholds), ElementTree.fromstring(junit(summary, thresholds))
    rows = [line for line in page.splitlines() if line.startswith(("| broken", "| kept"))]
    bad = [line for line in rows if line.startswith("| broken")]
    assert len(broken(summary, "layer=redis: missed_share > 0.03", "lost > 1000")) == len(bad) > 0
    assert f"**Thresholds: {len(bad)} of {len(rows)} broken.**" in page
    run_case, *others = cases.iter("testcase")
    assert run_case.get("name") == "measured"
    assert [case.find("failure") is not None for case in others] == [line in bad for line in rows]
    assert "No threshold was given." in markdown(summary, ())


def test_report_when_markdown_is_asked_for_then_the_runs_own_thresholds_are_in_it_or_those_given(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "report.md"
    monkeypatch.setattr(
        sys,
        "argv",
        ["channels-loadtest", "report", str(run), "--format", "md", "--fail-on", "lost >= 0", "--out", str(file)],
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().out == ""
    assert "`lost >= 0`" in file.read_text()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("missed>1", "connections, all trials of a cell summed up"),
        ("missed_share > 0.1", "a share from 0 to 1, of all trials of a cell together"),
        ("latency_ms_p99 > 100", "ms, the median of a cell's trials"),
    ],
)
def test_threshold_when_it_is_printed_before_a_run_then_it_says_whether_it_counts_or_is_a_share(
    text: str, means: str
) -> None:
    said = StringIO()
    print_thresholds(read_thresholds([text]), Console(file=said))
    assert said.getvalue() == f"It fails if {text} ({means})\n"
