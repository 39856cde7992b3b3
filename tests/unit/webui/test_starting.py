"""Starting: what of the form goes to the stage, and what of the stage's answer Locust is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.load import Job
from loadtest.users.stages import stage_of
from loadtest.webui.beside_locust.asking import StageError
from loadtest.webui.beside_locust.starting import Starter, StartError
from loadtest.webui.stage.comparing import AskedComparison

URL = "ws://127.0.0.1:8123"


class EchoUser:
    path = "/ws/{consumer}/echo/"


class ChurnMember:
    path = "/ws/{consumer}/room/{room}/"


class Environment:
    def __init__(self) -> None:
        job = {name: list(value) if name in ("header", "join") else value for name, value in Job().model_dump().items()}
        others = {"scenario": "", "server": "uvicorn", "layer": "inmemory", "allow_contention": False}
        others |= {"plan": "", "plan_folder": "/home/a"}
        self.parsed_options = SimpleNamespace(**{**job, "drop_kind": "rst", "subprotocol": "", **others})
        self.user_classes: list[Any] = [EchoUser, ChurnMember]
        self.host: str | None = ""


class Stage:
    """Answers as the stage does, and keeps what it was asked."""

    def __init__(self, why_not: str = "") -> None:
        self.why_not = why_not
        self.asked: dict[str, Any] = {}

    def ask(self, do: str, **given: Any) -> Any:
        self.asked = {"do": do, **given}
        if self.why_not:
            raise StageError(self.why_not)
        if do == "compare":
            return None
        job = {**given["asked"]["job"], "host": URL, "ledger": "/run/ledger", "steady": 30.0, "seed": 77}
        return {"job": job, "url": URL, "hold_s": 65.0}


FILES: dict[type, str] = {EchoUser: "/x/echo.py", ChurnMember: "/x/churn.py"}
SCENARIOS = {
    name: {"locustfile": f"/x/{name}.py", "users": 80, "rate": 1.0, "room_size": 20, "duration": 30.0}
    for name in ("echo", "churn")
}


def started(form: dict[str, str], stage: Any = None) -> tuple[Environment, Any, dict[str, str]]:
    environment, stage = Environment(), stage or Stage()
    starter = Starter(environment, stage, SCENARIOS, FILES)
    return environment, stage, starter.start(form)


def test_start_when_nothing_is_said_then_churn_is_started_on_the_reference_app() -> None:
    environment, stage, left = started({"user_count": "80", "spawn_rate": "80"})
    assert stage.asked["asked"]["locustfile"] == "/x/churn.py"
    assert (stage.asked["host"], stage.asked["asked"]["layer"]) == ("", "inmemory")
    assert environment.user_classes == [ChurnMember]
    assert left == {"user_count": "80", "spawn_rate": "80", "host": URL}


def test_start_when_the_stage_has_begun_then_locust_is_told_what_to_do() -> None:
    environment, _, _ = started({"scenario": "echo", "drop_kind": "fin,rst", "rate": "3", "duration": "30"})
    options = environment.parsed_options
    assert (options.ledger, options.steady, options.seed, options.rate) == ("/run/ledger", 30.0, 77, 3.0)
    assert (options.drop_kind, environment.host, environment.user_classes) == ("fin,rst", URL, [EchoUser])
    stage = stage_of(environment)
    assert stage is not None and stage.hold_s == 65.0


def test_start_when_the_form_chooses_layer_and_server_then_the_stage_gets_them() -> None:
    _, stage, _ = started({"layer": "redis", "server": "daphne", "user_count": "5", "duration": "0"})
    asked = stage.asked["asked"]
    assert (asked["layer"], asked["server"], asked["users"], asked["duration"]) == ("redis", "daphne", "5", "0")


def test_start_when_the_host_is_that_of_the_last_test_then_the_reference_app_is_started_again() -> None:
    environment, stage = Environment(), Stage()
    starter = Starter(environment, stage, SCENARIOS, FILES)  # type: ignore[arg-type]
    starter.start({})
    assert starter.host == "", "the form shows it empty"
    starter.start({"host": URL})
    assert stage.asked["host"] == ""


@pytest.mark.parametrize(
    ("host", "whole"),
    [
        ("ws://example.com:8000", "ws://example.com:8000/ws/async/room/{room}/"),
        ("ws://example.com/", "ws://example.com/ws/async/room/{room}/"),
        ("wss://example.com/chat/{room}/", "wss://example.com/chat/{room}/"),
    ],
)
def test_start_when_another_host_is_given_then_it_is_measured_with_the_scenarios_path(host: str, whole: str) -> None:
    _, stage, _ = started({"host": host})
    assert stage.asked["host"] == whole


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"drop_share": "7"}, "--drop-share: Input should be less than or equal to 1"),
        ({"scenario": "idle"}, "there is no 'idle' here; there are echo, churn"),
        ({"drop_kind": ""}, "--drop-kind: "),
        ({"host": "http://example.com"}, "not a WebSocket address"),
    ],
)
def test_start_when_the_form_makes_no_sense_then_it_says_so_and_the_stage_is_not_asked(
    form: dict[str, str], said: str
) -> None:
    stage = Stage()
    with pytest.raises(StartError, match=said):
        started(form, stage)
    assert stage.asked == {}


def test_start_when_the_stage_cannot_then_its_words_come_back_and_no_test_stands_on_it() -> None:
    environment = Environment()
    with pytest.raises(StartError, match="the port is taken"):
        Starter(environment, Stage("the port is taken"), SCENARIOS, FILES).start({})  # type: ignore[arg-type]
    assert stage_of(environment) is None


@pytest.mark.parametrize("ticked", ["true", "false"])
def test_start_when_contention_is_allowed_in_the_form_then_the_stage_is_told(ticked: str) -> None:
    _, stage, _ = started({"allow_contention": ticked})
    assert stage.asked["asked"]["allow_contention"] == ticked


def test_comparison_when_nothing_was_started_yet_then_it_is_of_the_reference_app_as_the_command_line_says() -> None:
    environment, stage = Environment(), Stage()
    vars(environment.parsed_options).update(plan="/x/plan.toml", server="daphne", allow_contention=True)
    Starter(environment, stage, SCENARIOS, FILES).compare()  # type: ignore[arg-type]
    asked = AskedComparison.model_validate(stage.asked["asked"])
    assert (asked.plan, asked.folder) == (Path("/x/plan.toml"), Path("/home/a"))
    assert (asked.server, asked.allow_contention, asked.host) == ("daphne", True, "")
    assert asked.locustfiles == (Path("/x/echo.py"), Path("/x/churn.py"))


def test_comparison_when_a_host_was_tested_then_it_is_of_that_with_what_opens_its_connections() -> None:
    environment, stage = Environment(), Stage()
    vars(environment.parsed_options).update(header=["X-A: b"], origin="https://a.example")
    environment.host = "wss://a.example"
    Starter(environment, stage, SCENARIOS, FILES).compare()  # type: ignore[arg-type]
    asked = AskedComparison.model_validate(stage.asked["asked"])
    assert asked.host == "wss://a.example/ws/async/room/{room}/"
    assert (asked.job.header, asked.job.origin) == (("X-A: b",), "https://a.example")


def test_comparison_when_the_last_test_was_of_the_reference_app_then_it_is_of_that_and_not_of_its_port() -> None:
    environment, stage = Environment(), Stage()
    starter = Starter(environment, stage, SCENARIOS, FILES)  # type: ignore[arg-type]
    starter.start({})
    starter.compare()
    assert stage.asked["asked"]["host"] == ""
