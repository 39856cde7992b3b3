"""A small real bench through the command line, looked at from all sides: tables, folder, report, ledgers."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from itertools import product
from math import inf
from pathlib import Path

import polars as pl
import pytest

from loadtest.bench.plan import PlanError
from loadtest.bench.scenarios import SCENARIOS
from loadtest.cli.main import app
from loadtest.drops import DROPS
from loadtest.layers import LAYERS
from loadtest.ledger import Event, Phase
from loadtest.outages import OUTAGES
from loadtest.report.columns import KEY_NAMES, TABLES
from target_app.consumers import CONSUMERS
from target_app.tutorial import TUTORIAL
from tests.live.bench_process import Bench, assert_tidy, manifest, table

pytestmark = pytest.mark.live

KINDS = ["close", "fin", "midframe", "rst"]
USERS = 24
CELLS = sorted(
    (layer, consumer, scenario, "mixed" if scenario == "churn" else "none")
    for layer, consumer, scenario in product(["inmemory"], ["async", "sync"], ["churn", "echo"])
)
PLAN = f"""
layers = "inmemory"
scenarios = ["churn", "echo"]
drops = {KINDS}
users = {USERS}
room_size = 8
rate = 8
payload_size = 80
drop_share = 0.5
offline = 0.3
warm_up = 0.2
duration = 9
settle = 5
trials = 3
seed = 42
"""


KEYS = ["layer", "consumer"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Path]]:
    """Both consumers, two scenarios, one trial each; options win over the plan's file."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "plan.toml").write_text(PLAN)
    options = ("--consumers", "sync,async", "--trials", "1", "--duration", "2", "--out", folder / "out")
    with Bench("bench", "--plan", folder / "plan.toml", *options, anew=True) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        yield bench, folder / "out" / "latest"


@pytest.fixture(scope="module")
def run(bench: tuple[Bench, Path]) -> Path:
    return bench[1]


@pytest.fixture(scope="module")
def redis_run(bench: tuple[Bench, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A churn on each layer that needs Redis, each kind of drop in a trial of its own; --out is relative."""
    folder = tmp_path_factory.mktemp("redis")
    (folder / "plan.toml").write_text("mix_drops = false\nwarm_up = 0\ndrop_share = 1\noffline = 0.3\nroom_size = 5")
    options = ["--layers=redis,redis-pubsub", "--consumers=async", "--scenarios=churn", "--drops=fin,rst"]
    options += ("--users=10", "--rate=5", "--duration=1", "--trials=1", "--plan=plan.toml", "--out=out")
    with Bench("bench", *options, cwd=folder) as started:
        assert started.ended_valid() == 0, started.out + started.err
        assert_tidy(started)
        yield folder / "out" / "latest"


def cells(frame: pl.DataFrame) -> list[tuple[str, ...]]:
    return sorted(frame.select("layer", "consumer", "scenario", "drop").rows())


def trial_folders(run: Path) -> list[Path]:
    return sorted(run.glob("trials/*/1"))


def test_bench_when_it_has_ended_then_nothing_is_left_but_the_run(bench: tuple[Bench, Path]) -> None:
    started, run = bench
    assert_tidy(started)
    assert started.err == ""
    assert run.is_symlink()
    assert run.resolve().parent == run.parent
    assert re.fullmatch(r"\d{8}T\d{6}Z-quick", run.resolve().name)
    assert f"Next: the report, with charts: {run.resolve()}/report.html\n" in started.out


def test_bench_when_it_runs_then_each_trial_is_told_with_the_time_left(bench: tuple[Bench, Path]) -> None:
    lines = re.findall(
        r"^\[(\d)/4, \d+:\d\d left\] (\S+) (\S+) (\S+)(?: (\S+))? 1(?: \(so far .*\))?$", bench[0].out, re.M
    )
    assert [int(place) for place, *_ in lines] == list(range(1, 5))
    assert sorted((layer, who, scenario, drop or "none") for _, layer, who, scenario, drop in lines) == CELLS


@pytest.mark.parametrize("name", list(TABLES))
def test_csv_when_written_then_it_has_the_columns_there_should_be_with_the_key_first(run: Path, name: str) -> None:
    columns = table(run, name).columns
    assert columns == [column.name for column in TABLES[name].columns]
    assert columns[:8] == list(KEY_NAMES)
    assert KEY_NAMES == ("server", "workers", "layer", "consumer", "scenario", "drop", "load", "trial")


def test_throughput_when_trials_are_done_then_each_cell_has_a_valid_row_with_figures(run: Path) -> None:
    throughput = table(run, "throughput")
    assert cells(throughput) == CELLS
    assert set(throughput["server"]) == {"uvicorn"}
    assert set(throughput["trial"]) == {1}
    assert set(throughput["users"]) == {USERS}
    figures = throughput.select(
        "sent", "received", "messages_per_s", "latency_ms_p50", "server_cpu_s", "server_rss_mb", "generator_cpu_s"
    )
    assert figures.null_count().sum_horizontal().item() == 0
    assert all(value > 0 for row in figures.rows() for value in row)
    assert throughput["duration_s"].to_list() == pytest.approx([2] * 4, abs=0.2)
    per_s = throughput["received"] / throughput["duration_s"]
    assert throughput["messages_per_s"].to_list() == pytest.approx(per_s.to_list())
    latency = ["latency_ms_p50", "latency_ms_p90", "latency_ms_p99", "latency_ms_p999", "latency_ms_max"]
    assert all(list(row) == sorted(row) for row in throughput.select(latency).rows())
    assert set(throughput["valid"]) == {"yes"}


def test_disconnects_when_members_are_dropped_then_each_kind_has_a_row_and_every_drop_is_accounted_for(
    run: Path,
) -> None:
    disconnects = table(run, "disconnects")
    churns = [(layer, who, scenario) for layer, who, scenario, _ in CELLS if scenario == "churn"]
    assert cells(disconnects) == sorted((*cell, kind) for cell in churns for kind in KINDS)
    for row in disconnects.iter_rows(named=True):
        assert row["dropped"] > 0
        assert row["dropped"] == row["disconnect_called"] + row["missed"] + row["unknown"]
        assert row["unknown"] == 0
        assert sum_of_codes(row["codes"]) == row["disconnect_called"]
        if row["disconnect_called"]:
            assert 0 <= row["detect_ms_p50"] <= (row["detect_ms_p99"] or inf)
            assert 0 <= row["detect_ms_max"] < 5000
        assert {row["groups_left"], row["tasks_left"], row["presence_left"]}.isdisjoint({None})


def sum_of_codes(codes: str | None) -> int:
    return sum(int(part.partition(":")[2]) for part in (codes or "").split(";") if part)


def test_delivery_when_messages_are_counted_then_expected_is_delivered_lost_and_unknown(run: Path) -> None:
    delivery = table(run, "delivery")
    assert cells(delivery) == CELLS
    for row in delivery.iter_rows(named=True):
        assert row["expected"] > 0
        assert row["expected"] == row["delivered"] + row["lost"] + row["unknown"]
        assert row["duplicated"] == 0
    echo = delivery.filter(scenario="echo")
    assert (echo["delivered"] == echo["expected"]).all()
    assert set(echo["offline"]) == {0}
    assert (delivery.filter(scenario="churn")["offline"] > 0).all()


def test_timeline_when_members_are_dropped_then_the_drops_are_in_it(run: Path) -> None:
    timeline = table(run, "timeline")
    dropped = table(run, "disconnects").group_by("layer", "consumer").agg(pl.sum("dropped"))
    churn = timeline.filter(pl.col("t_s") >= 0, scenario="churn")  # the warm-up's drops are in it too
    seen = churn.group_by("layer", "consumer").agg(pl.sum("dropped"))
    assert sorted(seen.rows()) == sorted(dropped.rows())
    assert timeline.filter(scenario="echo")["dropped"].sum() == 0
    for _, steps in timeline.group_by("layer", "consumer", "scenario"):
        times = steps["t_s"].to_list()
        assert times == [times[0] + 0.25 * step for step in range(len(times))]
        assert times[0] < 0 < times[-1]
        assert steps["open_sockets"].max() == USERS
        assert steps["sent"].sum() > 0


def test_residue_when_read_then_each_kind_of_thing_has_a_row_and_what_is_left_is_the_difference(run: Path) -> None:
    residue = table(run, "residue")
    assert cells(residue.unique(KEY_NAMES)) == CELLS
    kinds = residue.group_by("kind").len()
    assert {"group members", "asyncio tasks", "threads", "file descriptors", "presence rows"} <= set(kinds["kind"])
    assert set(kinds["len"]) == {len(CELLS)}
    known = residue.drop_nulls(["before", "after", "left"])
    assert (known["left"] >= 0).all()
    members = known.filter(kind="group members", scenario="churn").select("layer", "consumer", "left")
    per_trial = table(run, "disconnects").group_by("layer", "consumer").agg(pl.sum("groups_left"))
    in_warm_up = table(run, "timeline").filter(pl.col("t_s") < 0).group_by("layer", "consumer").agg(pl.sum("dropped"))
    for *_, left, of_counted, of_warm_up in members.join(per_trial, on=KEYS).join(in_warm_up, on=KEYS).rows():
        assert of_counted <= left <= of_counted + of_warm_up


def test_manifest_when_finished_then_it_has_plan_seed_versions_and_machine(run: Path) -> None:
    found = manifest(run)
    assert (found["state"], found["planned"], found["done"]) == ("finished", 4, 4)
    assert found["failed"] == found["invalid"] == []
    assert found["started_utc"] < found["finished_utc"]
    plan = found["plan"]
    assert (plan["seed"], plan["trials"], plan["duration"], plan["offline"]) == (42, 1, 2.0, 0.3)
    assert plan["consumers"] == ["sync", "async"]
    assert {"django", "channels", "channels-redis", "redis", "uvicorn", "locust", "gevent"} <= found["versions"].keys()
    assert {"cpu", "cores", "memory_gb", "kernel", "python"} <= found["machine"].keys()
    assert found["limits"]["open_files"] > 0
    assert found["command"].startswith("channels-loadtest bench --plan ")


def test_summary_when_written_then_it_has_every_cell_and_trial(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["state"] == "finished"
    keys = {(cell["layer"], cell["consumer"], cell["scenario"]) for cell in summary["cells"]}
    assert keys == {(layer, who, scenario) for layer, who, scenario, _ in CELLS}
    assert all(cell["trials"] for cell in summary["cells"])
    assert summary["findings"]


def test_report_when_opened_offline_then_it_loads_nothing_from_elsewhere(run: Path) -> None:
    page = (run / "report.html").read_text()
    loaded = re.findall(r"""(?:\bsrc|\bhref|\bdata|\baction)\s*=\s*["']?\s*(?:https?:)?//[^"'\s>]+""", page, re.I)
    links = re.findall(r"""<a\s[^>]*href=["'](?:https?:)?//[^"']+""", page, re.I)
    assert len(loaded) == len(links)  # what a person may click on loads nothing by itself
    assert not re.search(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""", page)
    assert not re.search(r"""\b(?:fetch|importScripts|import)\(\s*["'`](?:https?:)?//""", page)
    assert "<svg" in page
    for kind in KINDS:
        assert kind in page


def test_report_when_made_again_then_the_summary_is_the_same(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.resolve(), copy)
    (copy / "summary.json").unlink()
    (copy / "report.html").unlink()
    with Bench("report", copy) as again:
        assert again.ended_valid() == 0, again.err
        assert "messages/s" in again.out
        assert_tidy(again)
    assert (copy / "summary.json").read_text() == (run / "summary.json").read_text()
    assert (copy / "report.html").exists()


def test_keep_when_an_example_is_shown_then_it_is_told_as_in_the_run(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(monkeypatch, capsys, "keep", str(run), str(tmp_path / "kept"))
    examples = set(table(run, "disconnects")["example"].drop_nulls()) - {""}
    assert examples  # at this load some are always missed
    for example in examples:
        told = printed(monkeypatch, capsys, "show", str(tmp_path / "kept"), example)
        assert told == printed(monkeypatch, capsys, "show", str(run), example)
        assert "DROPPED" in told


def test_report_when_the_folder_is_no_run_then_it_is_bad_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["channels-loadtest", "report", str(tmp_path)])
    with pytest.raises(PlanError, match=r"manifest\.json"):
        app()


def test_trials_when_done_then_their_folders_have_csv_logs_and_ledgers(run: Path) -> None:
    assert len(trial_folders(run)) == len(CELLS)
    for folder in trial_folders(run):
        there = {path.name for path in folder.iterdir()}
        assert {"locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv", "server.log"} <= there
        assert "ledger" not in there
        assert pl.read_parquet(folder / "client.parquet").height > 100
        assert pl.read_parquet(folder / "server.parquet").height > 100


def test_servers_when_consumers_are_compared_then_sync_and_async_never_shared_a_process(run: Path) -> None:
    pids: list[int] = []
    for folder in trial_folders(run):
        server = pl.read_parquet(folder / "server.parquet")
        classes = set(server.filter(event=int(Event.CONSUMER))["text"])
        assert len({name.rpartition(".")[0] for name in classes}) == 1
        (pid,) = set(server["pid"])
        pids.append(pid)
    assert len(set(pids)) == len(CELLS)


def test_locusts_csv_when_compared_with_the_ledger_then_they_agree(run: Path) -> None:
    for folder in trial_folders(run):
        client = pl.read_parquet(folder / "client.parquet")
        phases = client.filter(event=int(Event.PHASE))
        steady = phases.filter(code=int(Phase.STEADY))["time_ns"].item()
        after = client.filter(pl.col("time_ns") >= steady)
        rows = locust_rows(folder)
        arrived = rows.get("echo") or rows["delivered"]
        # What arrived before the mark and was handled after it is in the one and not in the other
        assert arrived == pytest.approx(after.filter(event=int(Event.RECEIVED)).height, abs=USERS)
        dropped = after.filter(event=int(Event.DROPPED)).group_by("text").len()
        assert {f"drop {kind}": count for kind, count in dropped.rows()} == {
            name: count for name, count in rows.items() if name.startswith("drop ")
        }
        assert rows["open"] == after.filter(event=int(Event.OPENED)).height


def locust_rows(folder: Path) -> dict[str, int]:
    with (folder / "locust_stats.csv").open(newline="") as file:
        return {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(file)}


def test_throughput_when_compared_with_the_ledger_then_sent_and_received_are_those_of_the_window(run: Path) -> None:
    for folder in trial_folders(run):
        client = pl.read_parquet(folder / "client.parquet")
        marks = dict(client.filter(event=int(Event.PHASE)).select("code", "time_ns").rows())
        inside = client.filter(pl.col("time_ns").is_between(marks[Phase.STEADY], marks[Phase.RECOVER]))
        _, _, *layer, consumer, scenario, _ = folder.parent.name.split("-")
        row = table(run, "throughput").row(
            by_predicate=(pl.col("layer") == "-".join(layer))
            & (pl.col("consumer") == consumer)
            & (pl.col("scenario") == scenario),
            named=True,
        )
        assert row["sent"] == inside.filter(event=int(Event.SENT)).height
        assert row["received"] == inside.filter(event=int(Event.RECEIVED)).height


def test_bench_when_drops_are_not_mixed_then_each_kind_has_trials_of_its_own(redis_run: Path) -> None:
    cells_there = [(layer, "async", "churn", kind) for layer in ("redis", "redis-pubsub") for kind in ("fin", "rst")]
    for name in ("throughput", "disconnects", "delivery"):
        assert cells(table(redis_run, name)) == cells_there
    for row in table(redis_run, "disconnects").iter_rows(named=True):
        assert row["dropped"] == row["disconnect_called"] + row["missed"] + row["unknown"] > 0
    assert table(redis_run, "throughput")["valid"].to_list() == ["yes"] * 4
    assert manifest(redis_run)["state"] == "finished"
    assert len(list(redis_run.glob("trials/*/1/redis.log"))) == len(cells_there)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("drops", [*DROPS, *OUTAGES]),
        ("layers", list(LAYERS)),
        ("scenarios", list(SCENARIOS)),
        ("consumers", [*(row.name for row in CONSUMERS), *(row.name for row in TUTORIAL)]),
    ],
)
def test_catalogue_when_asked_then_each_thing_is_there_in_one_line_and_as_json(
    command: str, names: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(monkeypatch, capsys, command).splitlines()
    rows = json.loads(printed(monkeypatch, capsys, command, "--json"))
    assert len(lines) == len(rows) == len(names)
    for name, line, row in zip(names, lines, rows, strict=True):
        assert line.startswith(name)
        assert row["name"].startswith(name)
        assert len(row["summary"]) > 5
        assert row["summary"] in line


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what a command prints that is run in this process."""
    monkeypatch.setattr("sys.argv", ["channels-loadtest", *arguments])
    with pytest.raises(SystemExit) as ended:
        app()
    assert not ended.value.code
    return capsys.readouterr().out
