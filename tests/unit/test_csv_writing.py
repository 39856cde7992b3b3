"""Locust's writer of CSV files ends where they are closed."""

from pathlib import Path
from typing import Any

import gevent
import locust.stats
import pytest
from locust.env import Environment

from loadtest.users.csv_writing import EndingWriter

(OWN,) = EndingWriter.__bases__


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a writer write at each turn of the loop."""
    monkeypatch.setattr(locust.stats, "CSV_STATS_INTERVAL_SEC", 0)


def made(kind: type, folder: Path) -> Any:
    return kind(Environment(), [0.5], str(folder / "run"))


def ended(writer: Any) -> gevent.Greenlet:
    """Let a writer write, close its files, and let it wake again."""
    writing = gevent.spawn(writer.stats_writer)
    gevent.sleep(0)
    writer.close_files()
    writing.join(timeout=10)
    return writing


def test_writer_when_its_files_are_closed_then_it_has_ended_and_written(tmp_path: Path) -> None:
    writing = ended(made(EndingWriter, tmp_path))
    assert writing.successful()
    assert "Aggregated" in (tmp_path / "run_stats_history.csv").read_text()


def test_writer_when_it_is_locusts_own_then_it_fails(tmp_path: Path) -> None:
    """Why there is one of ours: where this no longer fails, it may go."""
    with pytest.raises(ValueError, match="closed file"):
        ended(made(OWN, tmp_path)).get()


def test_locust_when_users_of_ours_are_loaded_then_it_writes_by_ours() -> None:
    assert locust.stats.StatsCSVFileWriter is EndingWriter
