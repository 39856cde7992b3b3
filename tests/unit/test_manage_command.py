"""`manage.py loadtest`: what the tool is told of the project, and what is left as it was typed."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management.base import CommandError

from loadtest.probe.management.commands import loadtest as command

PATHS = ["--path", "/ws/chat/"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that can be imported, and its settings."""
    package = tmp_path / "shopfront"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shopfront.settings")
    monkeypatch.setattr(command, "settings", SimpleNamespace(ASGI_APPLICATION="shopfront.asgi.application"))
    return tmp_path


def test_bench_when_nothing_is_given_then_app_folder_settings_and_interpreter_are_the_projects(project: Path) -> None:
    assert command.with_project(["bench", *PATHS]) == [
        "bench",
        *PATHS,
        "--app=shopfront.asgi:application",
        f"--app-dir={project.resolve()}",
        "--settings=shopfront.settings",
        f"--python={sys.executable}",
    ]


def test_users_when_no_app_is_given_then_it_is_the_projects_too() -> None:
    typed = ["users", "create", "--count", "2"]
    assert command.with_project(typed)[:5] == [*typed, "--app=shopfront.asgi:application"]


def test_bench_when_something_is_given_then_that_stays() -> None:
    given = ["bench", "--app", "other.asgi", "--settings=other.settings", "--python", "/usr/bin/python3"]
    assert command.with_project(given) == given
    elsewhere = command.with_project(["bench", "--app-dir", "/elsewhere"])
    assert [word for word in elsewhere if word.startswith("--app-dir")] == ["--app-dir"]


@pytest.mark.parametrize(
    "typed",
    [[], ["--help"], ["bench", "--help"], ["bench", "--resume", "results/latest"], ["report"], ["compare", "a", "b"]],
)
def test_command_when_it_needs_no_app_then_it_is_passed_on_as_it_is(typed: list[str]) -> None:
    assert command.with_project(typed) == typed


@pytest.mark.parametrize(
    ("settings", "said"),
    [(SimpleNamespace(), "ASGI_APPLICATION"), (SimpleNamespace(ASGI_APPLICATION="nowhere.asgi.app"), "nowhere")],
)
def test_bench_when_the_settings_name_no_application_then_that_is_said(
    monkeypatch: pytest.MonkeyPatch, settings: SimpleNamespace, said: str
) -> None:
    monkeypatch.setattr(command, "settings", settings)
    with pytest.raises(CommandError, match=said):
        command.with_project(["bench", *PATHS])


def test_command_when_run_then_its_process_becomes_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: ran.append((program, words)))
    command.Command().handle(arguments=["layers"])
    assert ran == [(sys.executable, [sys.executable, "-m", "loadtest.cli", "layers"])]


def test_command_when_only_the_probe_is_there_then_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="only the probe is installed"):
        command.Command().handle(arguments=["bench", *PATHS])


def test_bench_when_the_server_runs_elsewhere_then_no_app_is_named() -> None:
    given = ["bench", "--target", "wss://chat.example.com/ws/chat/"]
    assert command.with_project(given) == given
