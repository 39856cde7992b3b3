"""Comparing two runs: verdicts on planted differences, what is left out, what is refused, and every form of output."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from math import inf, isnan
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from loadtest.cli.main import main
from loadtest.dimensions import CONSUMER, SCENARIO, CellKey
from loadtest.figures.twins import twin_number
from loadtest.report.compare import ComparedRuns, Row, compare_runs, read_run, warnings_of
from loadtest.report.errors import ReportError
from tests.unit.report_folder import write_folder

PROJECT = Path(__file__).resolve().parent.parent.parent
REFERENCE = PROJECT / "results" / "reference"
STANDARD = PROJECT / "results" / "standard"
TRIALS = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented run of three layers with enough trials to see something."""
    run = write_folder(tmp_path_factory.mktemp("runs") / "one", scenarios=("echo", "churn"), trials=TRIALS)
    change_manifest(run, plan={"trials": TRIALS})
    return run


@pytest.fixture
def other(run: Path, tmp_path: Path) -> Path:
    """A copy of it, to plant something in."""
    return Path(shutil.copytree(run, tmp_path / "other"))


def change(run: Path, table: str, **expressions: pl.Expr) -> None:
    """Overwrite columns of one of a run's tables."""
    path = run / f"{table}.csv"
    pl.read_csv(path).with_columns(**expressions).write_csv(path)


def change_manifest(run: Path, **keys: Any) -> None:
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, **keys, "plan": {**manifest["plan"], **keys.get("plan", {})}}))


def compared(one: Path, other: Path) -> ComparedRuns:
    return compare_runs(read_run(one), read_run(other))


def row_of(found: ComparedRuns, figure: str, **key: str) -> Row:
    """The first row of that figure in a cell with these values."""
    return next(
        row
        for row in found.rows
        if row.figure.name == figure and all(row.cell.as_row()[name] == value for name, value in key.items())
    )


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command line; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["channels-loadtest", "compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("folder", [REFERENCE, STANDARD], ids=["plain", "kept"])
def test_compare_when_a_run_is_compared_with_itself_then_nothing_differs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, folder, folder) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("No difference beyond the noise of ")
    assert max(map(len, printed.splitlines())) <= 100


def test_compare_when_trials_are_very_unlike_then_no_ratio_is_named_and_the_table_keeps_its_width(
    run: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    middle = (TRIALS + 1) / 2
    change(other, "throughput", latency_ms_p50=pl.col("latency_ms_p50") * 10.0 ** (4 * (pl.col("trial") - middle)))
    command(monkeypatch, run, other)
    printed = capsys.readouterr().out
    assert "(too few trials)" in printed and max(map(len, printed.splitlines())) <= 100


def test_compare_when_a_run_has_trials_that_are_not_valid_then_it_says_how_many(
    run: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = other / "manifest.json"
    content = json.loads(path.read_text())
    cell = {"layer": "redis", "consumer": "sync", "scenario": "echo", "drop": "none"}
    content["invalid"] = [{"cell": cell, "trial": 1, "why": "one"}, {"cell": cell, "trial": 1, "why": "two"}]
    path.write_text(json.dumps(content))
    command(monkeypatch, run, other)
    assert f"1 trial of {content['planned']} not valid, left out" in " ".join(capsys.readouterr().out.split())


def test_compare_when_latency_is_planted_30_percent_higher_then_exit_1_and_just_that_differs(
    run: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = pl.when(layer="redis", consumer="sync").then(1.3).otherwise(1.0)
    change(other, "throughput", latency_ms_p50=pl.col("latency_ms_p50") * slow)
    assert command(monkeypatch, run, other) == 1
    assert capsys.readouterr().out.startswith("2 differences beyond the noise of ")
    found = compared(run, other)
    assert {(row.figure.name, row.cell.as_row()["layer"], row.cell[CONSUMER]) for row in found.differing} == {
        ("latency_ms_p50", "redis", "sync")
    }
    planted = row_of(found, "latency_ms_p50", layer="redis", consumer="sync", scenario="echo")
    assert planted.is_worse and planted.judged.verdict == "higher"
    assert planted.judged.difference.estimate == pytest.approx(1.3)


def test_compare_when_more_is_better_then_less_is_worse_and_more_is_not(run: Path, other: Path) -> None:
    change(other, "throughput", messages_per_s=pl.col("messages_per_s") * 0.5)
    assert all(row.is_worse for row in compared(run, other).differing)
    assert not any(row.is_worse for row in compared(other, run).differing)
    assert compared(run, other).differing


def test_compare_when_kinds_of_drop_are_mixed_then_their_missed_are_counted_together(run: Path, other: Path) -> None:
    found = compared(run, other)
    churn = [row for row in found.rows if row.cell[SCENARIO] == "churn" and row.figure.name == "missed_share"]
    assert len(churn) == 6 and {row.cell.as_row()["drop"] for row in churn} == {"mixed"}
    counts = pl.read_csv(run / "disconnects.csv").filter(layer="redis", consumer="sync").sum()
    of = counts["missed"][0] + counts["disconnect_called"][0]
    row = row_of(found, "missed_share", layer="redis", consumer="sync")
    assert row.one == pytest.approx(counts["missed"][0] / of)


def test_compare_when_the_outcome_of_a_kind_of_drop_is_certain_then_it_is_compared_apart(
    run: Path, other: Path
) -> None:
    change_manifest(other, values={"drop": [{"name": "rst", "outcome": "certain"}]})
    drops = {row.cell.as_row()["drop"] for row in compared(other, other).rows if row.figure.name == "missed_share"}
    assert drops == {"mixed", "rst"}


def test_compare_when_many_more_are_missed_then_the_share_is_higher(run: Path, other: Path) -> None:
    change(other, "disconnects", dropped=pl.lit(40), missed=pl.lit(20), disconnect_called=pl.lit(20), unknown=pl.lit(0))
    drops = (other / "drops.csv").read_text().splitlines(keepends=True)
    (other / "drops.csv").write_text(drops[0])  # they would say something else
    row = row_of(compared(run, other), "missed_share", layer="inmemory", consumer="async")
    assert row.is_worse
    assert row.judged.difference.estimate == pytest.approx(0.5)


def test_compare_when_trials_are_not_valid_then_they_are_left_out(run: Path, other: Path) -> None:
    change(
        other,
        "throughput",
        valid=pl.when(pl.col("trial") > 5).then(pl.lit("no")).otherwise("valid"),
        latency_ms_p50=pl.when(pl.col("trial") > 5).then(1e9).otherwise("latency_ms_p50"),
    )
    row = row_of(compared(run, other), "latency_ms_p50", layer="redis", consumer="sync")
    assert row.trials == (TRIALS, 5)
    assert not row.is_difference


def test_compare_when_what_never_came_makes_latency_infinite_then_it_is_higher(run: Path, other: Path) -> None:
    change(other, "throughput", latency_ms_p99=pl.lit(inf))
    row = row_of(compared(run, other), "latency_ms_p99", scenario="echo")
    assert row.is_worse and row.other == inf and row.judged.difference.high == inf


def test_compare_when_a_figure_is_not_known_in_one_run_then_nothing_is_decided(run: Path, other: Path) -> None:
    change(other, "throughput", server_cpu_s=pl.lit(None, pl.Float64))
    row = row_of(compared(run, other), "server_cpu_ms_per_1000_messages")
    assert row.judged.verdict == "not decided" and isnan(row.other)


def test_compare_when_a_difference_is_within_the_noise_floor_of_a_run_then_it_is_none(run: Path, other: Path) -> None:
    """The twins of one run differ by half, up and down: what its machine does to equals."""
    change(other, "throughput", latency_ms_p50=pl.col("latency_ms_p50") * 1.3)
    assert row_of(compared(run, other), "latency_ms_p50", scenario="echo").floor is None
    add_twins(run_with_twins := shutil.copytree(run, other.parent / "twins"))
    row = row_of(compared(run_with_twins, other), "latency_ms_p50", scenario="echo")
    assert row.judged.verdict == "higher" and not row.is_difference
    assert row.floor is not None and row.floor > 0.3
    assert row.trials == (TRIALS, TRIALS), "twins belong to rounds that count already"


def add_twins(run: Path) -> None:
    """Run the first cell of echo twice each round, now 1.5 times slower and now as much faster than the first time."""
    trials = pl.read_csv(run / "throughput.csv")
    twins = trials.filter(layer="inmemory", consumer="sync", scenario="echo").with_columns(
        trial=pl.col("trial").map_elements(lambda n: twin_number(n, trials=TRIALS), pl.Int64),
        latency_ms_p50=pl.col("latency_ms_p50") * pl.when(pl.col("trial") % 2 == 0).then(1.5).otherwise(1 / 1.5),
    )
    pl.concat([trials, twins]).write_csv(run / "throughput.csv")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rate": 30.0}, "plan rate: 20.0 and 30.0"),
        ({"room_size": 5}, ""),
        ({"rate": 30.0, "work": "none"}, "plan rate: 20.0 and 30.0"),
    ],
)
def test_compare_when_loads_differ_then_it_is_refused_unless_forced(
    run: Path,
    other: Path,
    changed: Mapping[str, Any],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change_manifest(other, plan=changed)
    assert command(monkeypatch, run, other) == (2 if says else 0), "a key that only one run has says nothing"
    refused = capsys.readouterr().err
    assert says in refused
    assert not says or "--force" in refused
    assert command(monkeypatch, run, other, "--force") == 0
    assert says in capsys.readouterr().out


def test_compare_when_users_and_durations_differ_then_all_of_it_is_said_at_once(
    run: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(other, "throughput", users=pl.lit(80), duration_s=pl.col("duration_s") * 2)
    assert command(monkeypatch, run, other) == 2
    refused = capsys.readouterr().err
    assert "users: 50 and 80 in inmemory, sync, echo and 11 more cells" in refused
    assert "duration_s: 4 and 8 in inmemory, sync, echo and 11 more cells" in refused


def test_compare_when_machine_versions_and_plan_differ_then_it_warns(
    run: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change_manifest(
        other,
        machine={"cpu": "Imaginary 9001"},
        versions={"channels": "4.4.0"},
        identity={"broker": "valkey 9"},
        plan={"warm_up": 2.0},
    )
    first = Path(shutil.copytree(run, tmp_path / "first"))
    change_manifest(first, plan={"warm_up": 1.0}, identity={"broker": "valkey 8"})
    assert command(monkeypatch, first, other) == 0
    printed = capsys.readouterr().out
    for said in (
        "machine cpu: Imaginary 9000 and Imaginary 9001",
        "version channels: 4.3.2 and 4.4.0",
        "version broker: valkey 8 and valkey 9",
        "plan warm_up: 1.0 and 2.0",
    ):
        assert said in printed


def test_compare_when_the_load_is_relative_then_the_rate_that_it_set_is_told_and_not_judged(
    run: Path, other: Path, tmp_path: Path
) -> None:
    first = Path(shutil.copytree(run, tmp_path / "first"))
    for folder, rate in ((first, 10.0), (other, 12.0)):
        change(folder, "throughput", load=pl.lit("30%"), messages_per_s=pl.lit(100 * rate))
        cell = CellKey(layer="redis", consumer="sync", scenario="echo", load="30%")
        change_manifest(folder, rates=[{"cell": cell.as_row(), "rate": rate}])
    found = compared(first, other)
    assert "messages_per_s" not in {row.figure.name for row in found.rows}
    assert "latency_ms_p50" in {row.figure.name for row in found.rows}
    notes = warnings_of(read_run(first), read_run(other))
    assert "redis, sync, echo: 10 and 12 messages/s a sender" in notes


def test_compare_when_runs_share_no_cell_then_it_is_refused_also_with_force(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_folder(tmp_path / "other", consumers=("sync-guarded",))
    assert command(monkeypatch, run, other, "--force") == 2
    assert "no cell in common" in capsys.readouterr().err


def test_compare_when_a_cell_is_in_one_run_alone_then_it_is_told(run: Path, tmp_path: Path) -> None:
    other = write_folder(tmp_path / "other", scenarios=("churn", "broadcast"), trials=TRIALS)
    found = compared(run, other)
    assert {key[SCENARIO] for key in found.only_in_one} == {"echo"}
    assert {key[SCENARIO] for key in found.only_in_other} == {"broadcast"}
    notes = warnings_of(read_run(run), read_run(other))
    assert f"only in {run}, so not compared: inmemory, sync, echo and 5 more cells" in notes
    assert f"only in {other}, so not compared: inmemory, sync, broadcast and 5 more cells" in notes


@pytest.mark.parametrize("damage", ["no folder", "no manifest", "no table", "text in a number"])
def test_compare_when_a_run_is_damaged_then_exit_2_and_the_file_is_named(
    damage: str, run: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"no table": "throughput.csv", "text in a number": "throughput.csv"}.get(damage, "manifest.json")
    if damage == "no folder":
        shutil.rmtree(other)
    elif damage == "text in a number":
        change(other, "throughput", latency_ms_p50=pl.lit("soon"))
    else:
        (other / named).unlink()
    assert command(monkeypatch, run, other) == 2
    assert named in capsys.readouterr().err


def test_compare_when_the_word_latest_is_given_then_it_is_the_newest_run_here(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "latest").symlink_to(run)
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, run, "latest") == 0
    assert "B: results/latest" in capsys.readouterr().out


def test_junit_when_something_is_worse_then_it_is_a_failure_and_what_is_better_is_none(
    run: Path, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    factor = pl.when(layer="redis").then(2.0).when(layer="inmemory").then(0.5).otherwise(1.0)
    change(other, "throughput", latency_ms_p50=pl.col("latency_ms_p50") * factor)
    assert command(monkeypatch, run, other, "--format", "junit") == 1
    suite = ElementTree.fromstring(capsys.readouterr().out).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert {case.get("name") for case in failed} == {"latency_ms_p50"}
    assert all("redis, " in str(case.get("classname")) for case in failed) and len(failed) == 4
    assert suite.get("tests") == str(len(cases)) == str(len(compared(run, other).rows))
    assert suite.get("failures") == "4"
    assert suite.get("skipped") == str(sum(case.find("skipped") is not None for case in cases))


def test_junit_when_a_name_has_what_xml_cannot_hold_then_the_file_is_xml_all_the_same(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(shutil.copytree(run, tmp_path / 'a<b&"c'))
    change_manifest(other, machine={"cpu": "bell \x07 <&>"})
    assert command(monkeypatch, run, other, "--format", "junit") == 0
    suite = ElementTree.fromstring(capsys.readouterr().out).find("testsuite")
    assert suite is not None and 'a<b&"c' in str(suite.get("name"))
    assert "bell � <&>" in str(suite.findtext("system-out"))


def test_markdown_when_written_then_each_row_has_all_columns(run: Path, other: Path, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    change_manifest(other, machine={"cpu": "a|b"})
    assert command(monkeypatch, run, other, "--format", "md", "--out", tmp_path / "compared.md") == 0
    text = (tmp_path / "compared.md").read_text(encoding="utf-8")
    assert text.startswith("**No difference beyond the noise of")
    assert "a\\|b" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == len(compared(run, other).rows) + 2
    assert {line.count("|") for line in rows} == {7}


def test_json_when_figures_are_infinite_or_not_known_then_it_is_json_all_the_same(
    run: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(other, "throughput", latency_ms_p99=pl.lit(inf), latency_ms_p50=pl.lit(None, pl.Float64))
    assert command(monkeypatch, run, other, "--format", "json", "--out", tmp_path / "out.json") == 1
    found = json.loads((tmp_path / "out.json").read_text())
    assert len(found["rows"]) == len(compared(run, other).rows)
    assert {row["figure"] for row in found["rows"] if row["beyond_noise"]} == {"latency_ms_p99"}


def test_compare_when_the_file_cannot_be_written_then_exit_2(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, run, run, "--out", tmp_path / "none" / "file") == 2
    assert "cannot write" in capsys.readouterr().err


def test_read_run_when_it_is_none_then_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="manifest"):
        read_run(tmp_path)
