"""What `ui` hands on to Locust: everything that was given, and nothing secret by a command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtest.stack.errors import EnvironmentFailed
from loadtest.webui import BROKERS
from tests.unit.command_line import COMMANDS

SECRET = "hunter2"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[str], Mapping[str, str]]]:
    """Commands and environments of what was started; none of them is."""
    found = []

    def start(command: Sequence[str], *, env: Mapping[str, str], **_: Any) -> None:
        found.append((command, env))
        raise EnvironmentFailed("that is enough")

    monkeypatch.setattr("loadtest.cli.ui.Process", start)
    monkeypatch.setattr("loadtest.cli.ui.free_port", lambda _host: 4711)
    return found


def ui(*options: str) -> None:
    with pytest.raises(EnvironmentFailed, match="that is enough"):
        COMMANDS(["ui", *options], standalone_mode=False)


def test_ui_when_it_gets_a_plan_then_locust_does_with_the_folder_that_its_paths_start_from(
    started: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.toml").write_text('scenarios = ["echo"]\n')
    monkeypatch.chdir(tmp_path)
    ui("--plan", "plan.toml", "--allow-contention")
    ((command, _),) = started
    assert {f"--plan={tmp_path / 'plan.toml'}", f"--plan-folder={tmp_path}", "--allow-contention"} <= {*command}


def test_ui_when_nothing_is_given_then_the_comparison_has_no_plan_and_contention_counts(started: list[Any]) -> None:
    ui()
    ((command, _),) = started
    assert "--plan=" in command and "--allow-contention" not in command


def test_ui_when_an_address_has_a_password_then_it_goes_by_the_environment_alone(started: list[Any]) -> None:
    ui("--redis-url", f"redis://:{SECRET}@a.example/")
    ((command, env),) = started
    assert SECRET not in " ".join(command)
    assert json.loads(env[BROKERS]) == {"redis": f"redis://:{SECRET}@a.example/"}
