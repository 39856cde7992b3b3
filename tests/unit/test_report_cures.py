"""Cures in a run: a variant stands behind the consumer that it is one of, with what it changed; pings, run by run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadtest.checks.disconnects.table import GROUPS_LEFT
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.dimensions import CONSUMER, Value
from loadtest.report.cures import CARRIES, HEAD, cures_table
from loadtest.report.folder import read_folder
from loadtest.report.pings import pings_table
from loadtest.report.summary import Summary, summarise
from tests.unit.report_folder import write_folder

CONSUMERS = ("sync", "async", "sync-guarded", "async-guarded")
PLAIN = {"sync-guarded": "sync", "async-guarded": "async"}
VALUES = {"consumer": tuple(Value(name=name, variant_of=PLAIN.get(name, "")) for name in CONSUMERS)}


def summary(folder: Path, *scenarios: str, rate: float = 0) -> Summary:
    """At a rate of 0 each user waits for its answer."""
    manifest, tables = read_folder(write_folder(folder, consumers=CONSUMERS, layers=("redis",), scenarios=scenarios))
    return summarise(tables, replace(manifest, plan={**manifest.plan, "rate": rate}, values=VALUES))


def cells(table: str) -> list[list[str]]:
    return [[field.strip() for field in line.split("|")[1:-1]] for line in table.splitlines()]


def test_cures_when_written_then_each_plain_consumer_stands_before_its_variant(tmp_path: Path) -> None:
    found = summary(tmp_path / "run", "echo", "churn")
    head, _, *rows = cells(cures_table(found))
    assert head == [*HEAD, CARRIES]
    assert [row[1] for row in rows] == ["`sync`", "`sync-guarded`", "`async`", "`async-guarded`"]
    by_consumer = {row[1].strip("`"): dict(zip(head, row, strict=True)) for row in rows}
    assert by_consumer["sync"][CARRIES] == "1"
    assert "(" in by_consumer["sync-guarded"][CARRIES], "a ratio with its interval"
    dropped = found.evidence.having(DISCONNECTS)
    for consumer, row in by_consumer.items():
        left = sum(cell.total(GROUPS_LEFT).total or 0 for cell in dropped if cell.key[CONSUMER] == consumer)
        assert row["still in a group"].startswith(f"{left} of ")


def test_cures_when_no_scenario_tells_what_is_carried_then_there_is_no_such_column(tmp_path: Path) -> None:
    head, _, *rows = cells(cures_table(summary(tmp_path / "run", "churn", rate=20)))
    assert head == list(HEAD)
    assert len(rows) == 4 and all(len(row) == len(HEAD) for row in rows)


def test_pings_when_runs_differ_by_them_then_each_has_a_row(tmp_path: Path) -> None:
    run = summary(tmp_path / "run", "echo", "churn")
    runs = [pinging(run, pings) for pings in ("20/20", "1/1")]
    head, _, *rows = cells(pings_table(runs))
    assert [row[0] for row in rows] == ["20/20", "1/1"]
    assert "`rst`: called after, ms (95 %)" in head
    assert head[-1] == "echo: messages a second (95 %)"
    assert all(len(row) == len(head) for row in rows)


def pinging(run: Summary, pings: str) -> Summary:
    manifest = replace(run.manifest, plan={**run.manifest.plan, "server_ping": pings})
    return replace(run, manifest=manifest)
