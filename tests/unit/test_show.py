"""`show`: every event has a name, and a ledger that cannot be read is one message and not a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loadtest.cli import main as command
from loadtest.ledger.reader import SCHEMA, LedgerError
from loadtest.ledger.record import Event, Phase
from loadtest.report.errors import ReportError
from loadtest.report.story import NOT_TOLD, read_story

TRIAL = "uvicorn-1-redis-sync-churn-mixed/1"


def folder_with(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    folder = tmp_path / "trials" / TRIAL
    folder.mkdir(parents=True)
    nothing = dict.fromkeys(SCHEMA, 0) | {"text": None}
    pl.DataFrame([{**nothing, **row} for row in rows], schema=SCHEMA).write_parquet(folder / "server.parquet")
    return tmp_path


@pytest.mark.parametrize("event", sorted(set(Event) - NOT_TOLD), ids=lambda event: event.name)
def test_story_when_any_event_was_recorded_then_it_has_words_for_it(tmp_path: Path, event: Event) -> None:
    code = Phase.STEADY if event is Event.PHASE else 0
    run = folder_with(tmp_path, {"event": int(event), "time_ns": 5, "code": code})
    (line,) = read_story(run, f"{TRIAL}:0").lines
    assert line.what


@pytest.mark.parametrize("event", NOT_TOLD, ids=lambda event: event.name)
def test_story_when_a_connection_was_asked_what_a_drop_would_meet_then_that_is_left_out(
    tmp_path: Path, event: Event
) -> None:
    run = folder_with(tmp_path, {"event": int(Event.SCOPE), "time_ns": 5}, {"event": int(event), "time_ns": 6})
    (line,) = read_story(run, f"{TRIAL}:0").lines
    assert line.what.startswith("scope")


def test_story_when_the_event_loop_stalled_then_it_says_for_how_long(tmp_path: Path) -> None:
    run = folder_with(tmp_path, {"event": int(Event.STALLED), "time_ns": 5, "value": 250_000_000})
    (line,) = read_story(run, f"{TRIAL}:0").lines
    assert line.what == "the event loop stalled for 250 ms, until now"


def test_story_when_a_phase_began_then_it_is_named(tmp_path: Path) -> None:
    run = folder_with(tmp_path, {"event": int(Event.PHASE), "time_ns": 5, "code": int(Phase.WARM_UP)})
    (line,) = read_story(run, f"{TRIAL}:0").lines
    assert line.what == "phase: warm-up"


def test_story_when_the_ledgers_are_no_parquet_then_it_says_which(tmp_path: Path) -> None:
    run = folder_with(tmp_path)
    (run / "trials" / TRIAL / "server.parquet").write_text("none")
    with pytest.raises(ReportError, match=f"could not read the ledgers of {TRIAL}"):
        read_story(run, f"{TRIAL}:0")


def test_command_when_a_ledger_is_of_another_version_then_it_is_one_message_and_the_environments_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise LedgerError("client-1-0.ledger is not a ledger of version 1")

    monkeypatch.setattr(command, "app", broken)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 4
    assert capsys.readouterr().err == "channels-loadtest: client-1-0.ledger is not a ledger of version 1\n"
