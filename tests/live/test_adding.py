"""docs/adding.md is true: a toy of each kind is added through the files it names, and nothing else, and runs.

The toys are in `toys/`. The project is copied, the toys are put where the page says, and the bench of the copy runs
them all.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from loadtest.ledger import Event, Phase
from tests.live.bench_process import Bench, manifest, table

pytestmark = pytest.mark.live

PROJECT = Path(__file__).resolve().parents[2]
TOYS = Path(__file__).with_name("toys")
ADDING = (PROJECT / "docs" / "adding.md").read_text(encoding="utf-8")

NEW_FILES = {
    "drop.py": "loadtest/drops/toy_drop.py",
    "outage.py": "loadtest/outages/toy_outage.py",
    "scenario.py": "locustfiles/toy_scenario.py",
    "check.py": "loadtest/checks/toy.py",
    "server.py": "loadtest/servers/toy_server.py",
    "broker.py": "loadtest/brokers/toy_broker.py",
    "layer_reader.py": "loadtest/probe/readers/toy_layer.py",
    "layer_package.py": "toy_layer.py",  # what a user has installed
    "target.py": "loadtest/targets/toy_target.py",
}
"""A toy, and the file that it becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a list that has to be told, and what stands there before."""

    file: str
    after: str
    line: str


NEW_LINES = (
    Line(file="loadtest/layers.py", after="        for layer in (\n", line=(TOYS / "layer_row.txt").read_text()),
    Line(file="loadtest/checks/__init__.py", after="CHECKS = (", line="toy.KIND, "),
    Line(file="loadtest/checks/__init__.py", after="from loadtest.checks import ", line="toy, "),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a toy of each kind in it."""
    folder = tmp_path_factory.mktemp("project")
    for package in ("loadtest", "target_app", "locustfiles"):
        shutil.copytree(
            PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "db.sqlite3*")
        )
    for toy, file in NEW_FILES.items():
        assert not (folder / file).exists()
        shutil.copyfile(TOYS / toy, folder / file)
    for new in NEW_LINES:
        path = folder / new.file
        text = path.read_text(encoding="utf-8")
        assert text.count(new.after) == 1, f"{new.file} has not one place {new.after!r}"
        path.write_text(text.replace(new.after, new.after + new.line), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(copy: Path) -> Iterator[tuple[Path, str]]:
    """A bench of the toys; its folder, and what it printed."""
    options = {
        "servers": "toy-server", "layers": "toy-layer", "consumers": "async", "scenarios": "toy_scenario",
        "drops": "toy-drop,toy-outage", "trials": "1", "load": "fixed",
    }  # fmt: skip
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with Bench(
        "-m", "loadtest.cli", "bench", "--verbose", *arguments, "--out", copy / "out",
        program=sys.executable, env={"PYTHONPATH": str(copy)}, cwd=copy,
    ) as bench:  # fmt: skip
        assert bench.ended_valid() == 0, bench.out + bench.err
        yield copy / "out" / "latest", bench.out


def test_page_when_read_then_it_names_every_file_that_a_toy_became() -> None:
    named = set(re.findall(r"`((?:loadtest|locustfiles)/[\w/<>.-]+\.py)`", ADDING))
    for file in (*NEW_FILES.values(), *(line.file for line in NEW_LINES)):
        pattern = re.sub(r"[^/]*toy[^/]*(?=\.py$)", "<name>", file)
        assert file == "toy_layer.py" or {file, pattern} & named, f"docs/adding.md does not name {pattern}"


def test_drop_and_scenario_when_added_as_a_file_each_then_members_are_dropped_in_that_way(
    run: tuple[Path, str],
) -> None:
    rows = table(run[0], "disconnects")
    assert set(rows["drop"]) == {"toy-drop"}
    assert set(rows["scenario"]) == {"toy_scenario"}
    assert rows["dropped"].sum() > 0
    assert rows["unknown"].sum() == 0


def test_outage_when_added_as_a_file_then_the_server_stood_still_and_went_on(run: tuple[Path, str]) -> None:
    (trial,) = run[0].glob("trials/*-toy-outage/1")
    client = pl.read_parquet(trial / "client.parquet")
    marks = dict(client.filter(event=int(Event.PHASE)).select("code", "time_ns").rows())
    steady_s = (marks[Phase.RECOVER] - marks[Phase.STEADY]) / 1e9
    received_s = (client.filter(event=int(Event.RECEIVED))["time_ns"] - marks[Phase.STEADY]) / 1e9
    assert received_s.is_between(steady_s * 0.45, steady_s * 0.55).sum() == 0
    assert received_s.is_between(steady_s * 0.65, steady_s).sum() > 0


def test_check_when_added_as_a_file_and_a_line_then_it_has_a_table_a_printed_one_and_a_sentence(
    run: tuple[Path, str],
) -> None:
    folder, printed = run
    talked = table(folder, "toy").filter(pl.col("drop") == "toy-drop")["talked"].item()
    assert talked >= 6
    assert "Who said something" in printed
    assert f"{talked} connections said something" in re.sub(r"\s+", " ", (folder / "report.html").read_text())
    summary = json.loads((folder / "summary.json").read_text())
    assert any("toy.talked" in cell["totals"] for cell in summary["cells"])


def test_server_layer_and_broker_when_added_then_they_ran_and_the_residue_of_the_layer_is_known(
    run: tuple[Path, str],
) -> None:
    folder, _ = run
    identity = manifest(folder)["identity"]
    assert identity["server toy-server"].startswith("0.")
    assert identity["layer toy-layer"].startswith("channels_redis ")
    assert identity["broker toy-broker"].startswith("valkey ")
    residue = table(folder, "residue").filter(pl.col("kind") == "group members")
    assert residue["left"].null_count() == 0


def test_target_when_added_as_a_file_then_the_campaign_measures_it(copy: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from loadtest.bench.campaign import run_campaign\n"
        "from loadtest.bench.choices import choices_of\n"
        "from loadtest.bench.profiles import make_plan\n"
        "from loadtest.bench.run_folder import RunFolder\n"
        "from loadtest.cli.progress import ShownProgress\n"
        "from loadtest.targets.toy_target import ToyTarget\n"
        "from rich.console import Console\n"
        "target = ToyTarget()\n"
        "given = {'scenarios': 'echo', 'layers': 'inmemory', 'users': 3, 'duration': 0.5, 'trials': 1}\n"
        "given |= {'pin': False, 'allow_contention': True}\n"
        "plan = make_plan(given, choices=choices_of(target.offer))\n"
        "run = RunFolder.create(Path('targets'), plan, command='')\n"
        "with ShownProgress(Console()) as progress:\n"
        "    run_campaign(run, target, addresses={}, watcher=progress)\n"
    )
    with Bench("-c", program, program=sys.executable, env={"PYTHONPATH": str(copy)}, cwd=copy) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    (started,) = (copy / "targets" / "latest").glob("trials/*/1/started-by-the-toy")
    rows = table(started.parents[3], "throughput")
    assert rows["consumer"].to_list() == ["async"]
    assert rows["received"].item() > 0
