"""A kept run is small, always the same bytes, gives the same report, and still shows every example it names."""

import gzip
import io
import json
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from loadtest.cli.main import app
from loadtest.ledger import Event
from loadtest.ledger.reader import SCHEMA
from loadtest.report import ReportError, print_report, read_tables, write_report
from loadtest.report.columns import TABLES
from loadtest.report.keep import examples_named_by, keep_run
from loadtest.report.ledgers import KEPT
from loadtest.report.manifest import read_manifest
from loadtest.report.story import read_story
from tests.unit.report_folder import invented_tables, write_folder

OTHER = 77
"""A connection that is in every trial's ledgers and that nothing names."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A made-up run with ledgers of its examples and of one more connection."""
    run = write_folder(tmp_path / "run")
    for example in examples(run):
        trial, _, connection = example.rpartition(":")
        folder = run / "trials" / trial
        folder.mkdir(parents=True, exist_ok=True)
        for side, events in (("client", (Event.OPENED, Event.DROPPED)), ("server", (Event.SCOPE, Event.TASK_ENDED))):
            add_records(folder / f"{side}.parquet", product((int(connection), OTHER), events))
    return run


def examples(run: Path) -> list[str]:
    return examples_named_by(read_tables(run), read_manifest(run))


def add_records(path: Path, rows: Iterable[tuple[int, Event]]) -> None:
    records = [
        {"time_ns": 1_000_000 * event, "connection": connection, "event": int(event), "code": 0, "text": None}
        for connection, event in rows
    ]
    frame = pl.DataFrame(records, schema=SCHEMA).with_columns(value=0, argument=0, pid=9).cast(pl.Schema(SCHEMA))
    before = pl.read_parquet(path) if path.exists() else frame.clear()
    pl.concat([before, frame]).write_parquet(path)


def test_keep_when_a_run_is_kept_then_it_has_manifest_compressed_tables_and_examples_only(
    run: Path, tmp_path: Path
) -> None:
    kept = keep_run(run, tmp_path / "deep" / "kept")
    there = {path.name for path in (tmp_path / "deep" / "kept").iterdir()}
    assert there == {"manifest.json", KEPT, *(f"{table.file}.gz" for table in TABLES.values())}
    assert (kept.trials, kept.examples) == (53, len(examples(run)))
    assert kept.size == sum(path.stat().st_size for path in (tmp_path / "deep" / "kept").iterdir())
    told = json.loads((tmp_path / "deep" / "kept" / "manifest.json").read_text())
    assert set(told.pop("tables")) == set(TABLES), "what was written of each table"
    assert told == json.loads((run / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("channels-loadtest bench --trials 5", "channels-loadtest bench --trials 5"),
        ("channels-loadtest bench --out '/home/me/my runs' --trials 5", "channels-loadtest bench --trials 5"),
        (
            "channels-loadtest bench --out=/home/me --drops 'close:4000:a b'",
            "channels-loadtest bench --drops 'close:4000:a b'",
        ),
        ("channels-loadtest bench --out", "channels-loadtest bench"),
    ],
)
def test_keep_when_the_run_was_written_elsewhere_then_its_command_does_not_say_where(
    run: Path, tmp_path: Path, command: str, kept: str
) -> None:
    path = run / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "command": command}))
    keep_run(run, tmp_path / "kept")
    assert read_manifest(tmp_path / "kept").command == kept


def test_keep_when_read_again_then_the_tables_are_the_same(run: Path, tmp_path: Path) -> None:
    keep_run(run, tmp_path / "kept")
    for name in TABLES:
        assert read_tables(tmp_path / "kept").frame(name).equals(invented_tables().frame(name)), name


def test_keep_when_done_twice_or_of_a_kept_run_then_the_bytes_are_the_same(run: Path, tmp_path: Path) -> None:
    keep_run(run, tmp_path / "one")
    keep_run(run, tmp_path / "two")
    keep_run(tmp_path / "one", tmp_path / "three")
    one, two, three = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
                       for name in ("one", "two", "three"))  # fmt: skip
    assert one == two == three


def test_keep_when_its_report_is_made_then_it_is_that_of_the_run(run: Path, tmp_path: Path) -> None:
    keep_run(run, tmp_path / "kept")
    assert report(tmp_path / "kept") == report(run)
    assert (tmp_path / "kept" / "summary.json").read_text() == (run / "summary.json").read_text()


def report(folder: Path) -> str:
    printed = io.StringIO()
    print_report(write_report(folder), Console(file=printed, width=200, soft_wrap=True), folder)
    return printed.getvalue().replace(str(folder), "")


def test_keep_when_an_example_is_shown_then_it_is_the_story_of_the_run(run: Path, tmp_path: Path) -> None:
    keep_run(run, tmp_path / "kept")
    assert len(examples(run)) > 3
    for example in examples(run):
        assert read_story(tmp_path / "kept", example) == read_story(run, example)
        assert len(read_story(run, example).lines) == 4


def test_show_when_a_connection_was_not_kept_then_it_says_that_the_run_is_a_kept_one(run: Path, tmp_path: Path) -> None:
    keep_run(run, tmp_path / "kept")
    with pytest.raises(ReportError, match="records of its examples only"):
        read_story(tmp_path / "kept", f"{OTHER}")


def test_keep_when_the_run_dropped_nothing_then_it_needs_no_ledgers(tmp_path: Path) -> None:
    run = write_folder(tmp_path / "run", scenarios=("echo",))
    assert keep_run(run, tmp_path / "kept").examples == 0
    with pytest.raises(ReportError, match="has a connection 1; a kept run"):
        read_story(tmp_path / "kept", "1")


def test_keep_when_an_examples_ledgers_are_gone_then_it_says_which_and_writes_nothing(
    run: Path, tmp_path: Path
) -> None:
    trial = examples(run)[0].rpartition(":")[0]
    for path in (run / "trials" / trial).iterdir():
        path.unlink()
    with pytest.raises(ReportError, match=f"names the example {trial}:"):
        keep_run(run, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_keep_when_the_run_is_still_running_then_it_says_so(run: Path, tmp_path: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "state": "running"}))
    with pytest.raises(ReportError, match="still running"):
        keep_run(run, tmp_path / "kept")


def test_keep_when_there_is_no_such_run_then_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"could not read .*none/manifest\.json"):
        keep_run(tmp_path / "none", tmp_path / "kept")


def test_keep_when_the_folder_holds_something_then_that_is_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine").touch()
    with pytest.raises(ReportError, match="kept exists and is not empty"):
        keep_run(run, tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine"]


def test_keep_when_the_folder_is_empty_then_it_is_used(run: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    keep_run(run, tmp_path / "kept")
    assert (tmp_path / "kept" / KEPT).exists()


def test_command_when_a_run_is_kept_then_it_tells_how_large_it_became(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["channels-loadtest", "keep", str(run), str(tmp_path / "kept")])
    with pytest.raises(SystemExit) as ended:
        app()
    assert not ended.value.code
    assert f"53 trials and {len(examples(run))} examples in " in capsys.readouterr().out


@pytest.mark.parametrize("cut", [0, 5, 30, -4])
def test_tables_when_a_compressed_one_was_cut_off_then_it_is_named(tmp_path: Path, cut: int) -> None:
    keep_run(write_folder(tmp_path / "run", scenarios=("echo",)), tmp_path / "kept")
    path = tmp_path / "kept" / "delivery.csv.gz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ReportError, match=r"could not read .*delivery\.csv\.gz"):
        read_tables(tmp_path / "kept")


def test_tables_when_one_is_there_in_both_forms_then_the_plain_one_is_read(tmp_path: Path) -> None:
    run = write_folder(tmp_path / "run", scenarios=("echo",))
    with gzip.open(run / "delivery.csv.gz", "wt") as other:
        other.write("none of this is read")
    assert read_tables(run).frame("delivery").height == 0
