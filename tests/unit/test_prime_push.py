"""Priming by a push: what came back is told where it is refused, and what came instead where its marker does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.load.entry import Entry
from loadtest.load.push import read_push
from loadtest.load.talk import Talk
from loadtest.pushes import Outcome
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets import prime_app
from loadtest.targets.prime_app import _comes_by_push
from loadtest.targets.speaking import Templates


def carry_out(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, frames: list[str], push: str) -> None:
    """Push to a user to whom these frames come, one each time that it waits."""
    came = iter(frames)
    listener: Any = SimpleNamespace(
        speaker=Templates(talk=Talk()),
        url="ws://127.0.0.1:8000/ws/0/",
        heard="nothing came",
        wait_for=lambda marker, for_s: next(came, None),
    )
    monkeypatch.setattr(prime_app, "send_request", lambda *_: outcome)
    monkeypatch.setattr(prime_app, "run_command_of", lambda *_: outcome)
    _comes_by_push(listener, read_push(push), Entry(), _start)


def _start(line: str, log: Path) -> Any:
    raise AssertionError("nothing is started here")


OK = Outcome(kind="ok", said="HTTP 204 No Content")
REQUEST = "/n/{room}/ {marker}"


def test_push_when_its_marker_comes_once_then_the_app_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(monkeypatch, OK, ["it"], REQUEST)


@pytest.mark.parametrize(
    ("outcome", "push", "frames", "said"),
    [
        (Outcome(kind="fail", said="HTTP 404 Not Found"), REQUEST, [], "--push: POST /n/0/ failed: HTTP 404 Not Found"),
        (Outcome(kind="unknown", said="no answer: x"), REQUEST, [], "--push: POST /n/0/ failed: no answer: x"),
        (Outcome(kind="fail", said="exit code 1: x"), "notify {marker}", [], "failed: exit code 1: x"),
        (OK, REQUEST, [], "was carried out (HTTP 204 No Content), and its marker did not come to a user at ws://127"),
        (OK, "notify {marker}", [], "which a channel layer in memory does not reach"),
        (OK, REQUEST, ["once", "twice"], "came back in two frames, 'once' and 'twice'"),
    ],
)
def test_push_when_it_does_not_do_what_it_is_for_then_it_is_said_what_came(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, push: str, frames: list[str], said: str
) -> None:
    with pytest.raises(EnvironmentFailed) as failed:
        carry_out(monkeypatch, outcome, frames, push)
    assert said in str(failed.value)
