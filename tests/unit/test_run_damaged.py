"""A run's folder that was damaged is refused by whoever reads it; one whose bench was killed is not."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from loadtest.report import ReportError, read_tables, write_report
from loadtest.report.columns import TABLES
from loadtest.report.folder import read_folder, write_folder
from loadtest.report.keep import keep_run
from loadtest.report.manifest import read_manifest
from tests.unit import report_folder

Damage = Callable[[Path], object]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = report_folder.write_folder(tmp_path / "run", scenarios=("churn",))
    write_folder(folder, read_manifest(folder), read_tables(folder))
    return folder


def cut(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: max(1, len(lines) * 6 // 10)]))


def changed(table: str, **expressions: pl.Expr) -> Damage:
    def damage(run: Path) -> None:
        path = run / f"{table}.csv"
        pl.read_csv(path).with_columns(**expressions).write_csv(path)

    return damage


def forget_what_was_written(run: Path) -> None:
    """Make it a run of a version that did not say."""
    path = run / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tables": {}}))


@pytest.mark.parametrize("table", sorted(TABLES))
@pytest.mark.parametrize("damage", [cut, Path.unlink, lambda path: path.write_text(path.read_text() + " ")])
def test_run_when_a_file_is_not_as_it_was_written_then_it_is_refused_by_its_name(
    run: Path, tmp_path: Path, table: str, damage: Damage
) -> None:
    damage(run / f"{table}.csv")
    for read in (read_folder, write_report, lambda run: keep_run(run, tmp_path / "kept")):
        with pytest.raises(ReportError, match=rf"run: not as the bench has written it: {table}\.csv \(\d+ rows"):
            read(run)
    assert not (tmp_path / "kept").exists()


def test_run_when_a_compressed_file_is_not_as_it_was_written_then_it_is_refused(run: Path, tmp_path: Path) -> None:
    for path in run.glob("*.csv"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    read_folder(run)
    path = run / "timeline.csv.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))
    with pytest.raises(ReportError, match=r"not as the bench has written it: timeline\.csv"):
        read_folder(run)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (changed("throughput", valid=pl.lit("maybe")), "throughput.csv, column valid: 'maybe'"),
        (changed("throughput", valid=pl.lit(None)), "throughput.csv, column valid: empty"),
        (changed("throughput", sent=pl.lit(-1)), "throughput.csv, column sent: -1"),
        (changed("throughput", messages_per_s=pl.lit(float("inf"))), "column messages_per_s: inf"),
        (changed("throughput", server_cpu_s=pl.lit(-0.5)), "column server_cpu_s: -0.5"),
        (changed("disconnects", missed=pl.col("dropped") + 1), "dropped is not disconnect_called + missed + unknown"),
        (changed("delivery", delivered=pl.col("delivered") - 1), "expected is not delivered + lost + unknown"),
    ],
)
def test_run_when_it_says_what_cannot_be_then_it_is_refused_though_nobody_wrote_down_what_it_was(
    run: Path, damage: Damage, says: str
) -> None:
    forget_what_was_written(run)
    damage(run)
    with pytest.raises(ReportError) as refused:
        read_folder(run)
    assert says in str(refused.value)
    assert str(refused.value).endswith("take the folder from a copy of it, or run the bench again")


def test_run_when_single_drops_are_missing_then_it_is_refused_though_nobody_wrote_down_what_it_was(run: Path) -> None:
    forget_what_was_written(run)
    disconnects = pl.read_csv(run / "disconnects.csv")
    counts = ("disconnect_called", "missed", "unknown", "never_reached")
    verdicts = dict(zip(counts, ("called", "missed", "unknown", "never reached"), strict=True))
    keys = [name for name in read_tables(run).frame("drops").columns if name in disconnects.columns[:9]]
    rows = [
        {**{key: row[key] for key in keys}, "connection": 1, "verdict": verdict}
        for row in disconnects.iter_rows(named=True)
        for name, verdict in verdicts.items()
        for _ in range(row[name] or 0)
    ]
    blank = pl.read_csv(run / "drops.csv", infer_schema=False).clear()
    drops = pl.concat([blank, pl.DataFrame(rows).cast(pl.String)], how="diagonal")
    drops.write_csv(run / "drops.csv")
    read_folder(run)
    drops.head(drops.height * 6 // 10).write_csv(run / "drops.csv")
    with pytest.raises(ReportError, match=r"disconnects\.csv and drops\.csv differ on how many were"):
        read_folder(run)


def test_run_when_it_was_killed_while_a_trial_was_saved_then_those_count_that_were_saved_whole(run: Path) -> None:
    path = run / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "running"}))
    throughput = pl.read_csv(run / "throughput.csv")
    throughput.head(throughput.height - 1).write_csv(run / "throughput.csv")  # which is written last
    manifest, tables = read_folder(run)
    assert manifest.done == throughput.height - 1
    last = throughput.row(-1, named=True)
    cell = {key: last[key] for key in ("layer", "consumer", "scenario", "trial")}
    assert tables.frame("delivery").filter(**cell).is_empty()
