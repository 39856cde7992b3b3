"""The files for CI: the workflow names what there is, and its plan is one that can be carried out."""

from __future__ import annotations

from pathlib import Path

import yaml  # type: ignore[import-untyped]
from typer.main import get_command

from loadtest.bench.choices import choices_of
from loadtest.bench.profiles import make_plan
from loadtest.cli.main import app
from loadtest.targets.reference import ReferenceApp

CI = Path(__file__).resolve().parents[2] / "docs" / "ci"


def test_plan_for_ci_when_it_is_read_then_it_is_a_plan_of_two_short_trials() -> None:
    plan = make_plan({}, CI / "loadtest.toml", choices=choices_of(ReferenceApp().offer))
    assert plan.trials * (plan.duration or 0) <= 60
    assert plan.fail_on


def test_workflow_when_it_is_read_then_its_commands_have_options_that_there_are() -> None:
    (job,) = yaml.safe_load((CI / "loadtest.yml").read_text())["jobs"].values()
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines() if "channels-loadtest " in line]
    assert len(lines) == 3
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for line in lines:
        words = line.split()
        there_are = {name for option in commands[words[1]].params for name in option.opts}
        assert {word for word in words if word.startswith("--")} <= there_are, line
