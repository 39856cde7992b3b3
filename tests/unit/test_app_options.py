"""The options for an app of the user's own: what they make of a command line, before anything is started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.plan import PlanError
from loadtest.cli.app_options import _interpreter, _read_variables, redacted_variables, resumed_target, target_of
from loadtest.targets.reference import ReferenceApp


def test_target_when_no_app_is_named_then_it_is_the_reference_app() -> None:
    assert isinstance(target_of({}), ReferenceApp)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"path": ["/ws/"]}, "--path is for an app of your own; name it with --app"),
        ({"env_file": Path(".env"), "before": ["x"]}, "--env-file, --before is for an app of your own"),
        ({"app": "a.asgi"}, "--app needs the --path of a consumer"),
        ({"app": "a.asgi", "path": ["/ws/"], "database": "mine"}, "--database is scratch or as-is, got 'mine'"),
        ({"app": "a.asgi", "path": ["/ws/"], "app_dir": Path("/no/such")}, "--app-dir: /no/such is no folder"),
        ({"app": "a.asgi", "path": ["/ws/"], "python": "/no/such"}, "--python /no/such is no program"),
        ({"app": "a.asgi", "path": ["/ws/"], "env": ["A=1", "secret"]}, "--env: write NAME=VALUE"),
        ({"app": "a.asgi", "path": ["/ws/"], "broker": "mine"}, "--broker is private, or left out, got 'mine'"),
        ({"app": "a.asgi", "path": ["/ws/"], "command": "daphne a.asgi"}, "--command: there is no {port} in "),
        ({"app": "a.asgi", "path": ["/ws/"], "command": "A=1 daphne {port}"}, "--command: 'A=1' is no program; --env "),
        ({"app": "a.asgi", "path": ["/ws/"], "command": "daphne '{port}"}, "--command: No closing quotation"),
    ],
)
def test_target_when_options_make_no_sense_then_it_is_said_which(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as refused:
        target_of(given)
    assert problem in str(refused.value)


def test_interpreter_when_the_project_has_a_venv_then_it_is_that_one_and_else_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _interpreter(None, tmp_path) == sys.executable
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    assert _interpreter(None, tmp_path) == str(own)
    monkeypatch.chdir(Path(sys.prefix).anchor)
    assert _interpreter(".venv/bin/python", tmp_path) == str(own), "not what the link points to"


def test_variables_when_a_file_has_quotes_exports_and_comments_then_the_values_are_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# ours\n\nA=1\nexport B='two words'\nC=a=b\n")
    assert _read_variables(file) == {"A": "1", "B": "two words", "C": "a=b"}


def test_variables_when_a_line_is_none_then_its_number_is_said_and_not_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nhunter2\n")
    with pytest.raises(PlanError) as refused:
        _read_variables(file)
    assert "line 2 is not NAME=VALUE" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_command_when_it_has_variables_then_their_values_are_not_kept() -> None:
    command = ["bench", "--env", "KEY=secret", "--env=OTHER=secret", "--path", "/a=b/"]
    assert redacted_variables(command) == ["bench", "--env", "KEY=...", "--env=OTHER=...", "--path", "/a=b/"]


def test_resume_when_another_target_is_named_then_it_is_refused() -> None:
    with pytest.raises(PlanError, match="leave out --app"):
        resumed_target({}, {"app": "a.asgi"})
    with pytest.raises(PlanError, match="leave out --env"):
        resumed_target({}, {"env": ["A=1"]})
