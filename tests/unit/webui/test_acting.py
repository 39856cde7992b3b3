"""Acting: what the stage answers and shows from a test's begin to its end; the test itself is a stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.bench.plan import Plan
from loadtest.bench.scenarios import SCENARIOS
from loadtest.load import Job
from loadtest.webui.stage.acting import STATE, Acting
from loadtest.webui.stage.comparing import Around
from loadtest.webui.state import State, read_state

ASKED = {
    "locustfile": str(SCENARIOS["churn"].locustfile),
    "server": "uvicorn",
    "layer": "inmemory",
    "users": 8,
    "duration": 3,
    "job": {"drop_kind": "rst,fin", "origin": "https://a.example"},
}
BEGIN = {"do": "begin", "asked": ASKED, "host": "", "command": "x"}
COMPARE = {"do": "compare", "asked": {"folder": "/", "locustfiles": [], "server": "uvicorn", "job": {}}}


class StandIn:
    """A test that is never settled."""

    hold_s = 60.0
    is_settled = False

    def __init__(self, plan: Plan, _place: object) -> None:
        self.trial = plan.trials_in_order()[0]
        self.folder = Path("/results/1-ui")

    def begin(self) -> Job:
        return Job(host="ws://127.0.0.1:8123")

    def look(self) -> None:
        """Nothing counts yet."""

    def require_alive(self) -> None:
        """It lives."""

    def abandon(self) -> None:
        """Nothing was started."""


class Act:
    """The stage, asked as Locust's process asks it."""

    def __init__(self, folder: Path) -> None:
        self.acting = Acting(folder, folder / "results", port=8123, addresses={})
        self._file = folder / STATE

    def ask(self, question: dict[str, Any]) -> Any:
        return self.acting.answer(json.dumps(question))

    @property
    def shown(self) -> State:
        return read_state(self._file)


@pytest.fixture
def act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Act:
    monkeypatch.setattr("loadtest.webui.stage.acting.Stand", StandIn)
    return Act(tmp_path)


def test_begin_when_it_has_begun_then_locust_is_told_what_to_do_and_the_page_what_can_be_dropped(act: Act) -> None:
    told = act.ask(BEGIN)["ok"]
    assert (told["url"], told["hold_s"], told["job"]["origin"]) == ("ws://127.0.0.1:8123", 60.0, "https://a.example")
    shown = act.shown
    assert (shown.stage, shown.run, set(shown.drops)) == ("running", "1-ui", {"rst", "fin"})


def test_begin_when_the_stage_was_idle_then_it_looks_at_once_and_not_when_it_would_have_looked(act: Act) -> None:
    act.acting.look()
    assert act.acting.until_look_s() > 0
    act.ask(BEGIN)
    assert act.acting.until_look_s() == 0


def test_begin_when_something_cannot_be_had_then_the_answer_says_so_and_nothing_runs(act: Act) -> None:
    assert "unknown layer 'post'" in act.ask({**BEGIN, "asked": {**ASKED, "layer": "post"}})["error"]
    assert act.shown.stage == "idle"


def test_finish_when_nothing_was_measured_then_the_test_is_abandoned(act: Act) -> None:
    act.ask(BEGIN)
    assert act.ask({"do": "finish"}) == {"ok": {}}
    assert (act.shown.stage, act.shown.verdict) == ("abandoned", "")


def test_comparison_when_a_test_runs_then_it_is_refused_and_when_none_does_it_is_started(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Around] = []

    def start(_asked: object, around: Around) -> Any:
        started.append(around)
        return SimpleNamespace(told=lambda: None, is_running=True)

    monkeypatch.setattr("loadtest.webui.stage.acting.Comparison", start)
    act.ask(BEGIN)
    assert "a test runs" in act.ask(COMPARE)["error"]
    act.ask({"do": "finish"})
    assert act.ask(COMPARE) == {"ok": None}
    (around,) = started
    assert (around.port, around.out.name) == (8123, "results")
    assert "the comparison runs" in act.ask(BEGIN)["error"]
