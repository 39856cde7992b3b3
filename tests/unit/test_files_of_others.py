"""Files of others: a lock that is a link or a pipe, paths with brackets and stars, ledgers that are none, leftovers."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl
import pytest

from loadtest.ledger.reader import SCHEMA
from loadtest.report.ledgers import KEPT
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import PREFIX, remove_left_over, short_folder
from loadtest.stack.lock import only_bench
from tests.unit.command_line import said_to
from tests.unit.plans import make_plan
from tests.unit.test_run_folder import new_run


def test_lock_when_it_is_a_link_then_it_is_refused_and_what_it_points_at_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("precious")
    (tmp_path / "lock").symlink_to("theirs")
    with (
        pytest.raises(EnvironmentFailed, match=r"lock: it is a symbolic link; remove it"),
        only_bench(tmp_path / "lock"),
    ):
        pass
    assert (tmp_path / "theirs").read_text() == "precious"


def test_lock_when_it_is_a_link_to_nothing_then_no_file_is_made_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("theirs")
    with pytest.raises(EnvironmentFailed, match="symbolic link"), only_bench(tmp_path / "lock"):
        pass
    assert not (tmp_path / "theirs").exists()


def test_lock_when_it_is_a_pipe_then_it_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(EnvironmentFailed, match=r"lock: it is no file, but a pipe"), only_bench(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("name", ["a[1]", "[x", "a*?{b,c}", "~", "$HOME %20=é "])
def test_show_and_keep_when_the_path_has_signs_of_patterns_then_it_is_that_folder(tmp_path: Path, name: str) -> None:
    run = tmp_path / name
    shutil.copytree(Path(__file__).parents[2] / "results" / "disturbed", run)
    example = pl.read_parquet(run / KEPT, glob=False).row(0, named=True)
    said = said_to("show", str(run), f"{example['trial']}:{example['connection']}")
    assert said.code == 0, said.err
    assert f"connection {example['connection']}" in said.out
    kept = said_to("keep", str(run), str(tmp_path / f"{name} kept"))
    assert kept.code == 0, kept.err


def damaged(folder: Path, content: bytes | pl.DataFrame | None) -> Path:
    folder.mkdir()
    if content is None:
        (folder / KEPT).mkdir()
    elif isinstance(content, bytes):
        (folder / KEPT).write_bytes(content)
    else:
        content.write_parquet(folder / KEPT)
    return folder


def of_events(*events: int) -> pl.DataFrame:
    columns = pl.Schema({"trial": pl.String(), **SCHEMA, "side": pl.String()})
    row = {name: 1 if kind.is_numeric() else "text" for name, kind in columns.items()}
    return pl.DataFrame([{**row, "event": event} for event in events], schema=columns)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"no parquet at all",
        (Path(__file__).parents[2] / "results" / "disturbed" / KEPT).read_bytes()[:2000],
        None,
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"trial": ["text"], "connection": [1]}),
        of_events(251),
    ],
    ids=["empty", "begin", "foreign", "cut", "folder", "other columns", "too few columns", "unknown event"],
)
def test_show_when_a_ledger_is_damaged_then_one_message_says_so(
    tmp_path: Path, content: bytes | pl.DataFrame | None
) -> None:
    said = said_to("show", str(damaged(tmp_path / "run", content)), "1")
    assert said.code == 2
    assert said.is_one_message
    assert said.is_plain
    assert "could not read" in said.err
    assert said.err.count("\n") == 1


def test_latest_when_a_run_never_began_then_it_does_not_point_at_it(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert not (tmp_path / "latest").is_symlink()
    run.new_trial_folder(make_plan({}).trials_in_order()[0])
    assert (tmp_path / "latest").resolve() == run.folder.resolve()


def _holding(told: Connection) -> None:
    with short_folder() as folder:
        (folder / "file").touch()
        told.send(folder)
        signal.pause()


def test_folders_when_their_owner_was_killed_then_the_next_bench_removes_them_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("loadtest.stack.folders.SOCKET_PATH_BYTES", 1000)
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to("theirs")
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_holding, args=(theirs,))
    process.start()
    with short_folder() as in_use:
        left = ours.recv()
        assert left.parent == tmp_path
        assert remove_left_over([tmp_path]) == []
        process.kill()
        process.join()
        with only_bench(tmp_path / "lock"):
            assert not left.exists()
        assert in_use.exists()
        assert (tmp_path / f"{PREFIX}link").is_symlink()
    assert not in_use.exists()
    assert (tmp_path / "theirs").exists()
