"""`bench --like`: the plan of an earlier run, and what keeps it from being repeated here."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.choices import choices_of
from loadtest.bench.like import plan_like
from loadtest.bench.plan import Plan, PlanError
from loadtest.cli.main import main
from loadtest.report.manifest import Manifest, read_manifest
from loadtest.stack.machine import machine, versions
from loadtest.targets.reference import ReferenceApp
from tests.unit.plans import make_plan

REFERENCE = Path(__file__).resolve().parent.parent.parent / "results" / "reference"
CHOICES = choices_of(ReferenceApp().offer)


def manifest_of(plan: Plan, **changed: Any) -> Manifest:
    """The manifest of a run of that plan on this machine."""
    return replace(
        read_manifest(REFERENCE),
        name="earlier",
        plan={**plan.model_dump(mode="json"), **changed},
        versions=versions(),
        machine=machine(),
    )


def test_like_when_nothing_is_given_then_the_plan_is_the_same_whatever_its_profile_says_today() -> None:
    plan = make_plan({"profile": "standard", "trials": 2, "layers": "redis", "users": 30, "rate": 2.0})
    for given in ({}, {"users": None}):
        assert plan_like(manifest_of(plan), given, choices=CHOICES).model_dump() == plan.model_dump()


def test_like_when_options_are_given_then_they_win() -> None:
    plan = plan_like(manifest_of(make_plan({"users": 30, "trials": 2})), {"users": 40}, choices=CHOICES)
    assert (plan.users, plan.trials) == (40, 2)


def test_like_when_another_kind_of_load_is_given_then_it_takes_the_place_of_the_runs() -> None:
    relative, absolute = make_plan({"load": "30%,80%"}), make_plan({"rate": 2.0})
    plan = plan_like(manifest_of(relative), {"rate": 3.0}, choices=CHOICES)
    assert (plan.rate, plan.load) == (3.0, ("fixed",))
    plan = plan_like(manifest_of(absolute), {"load": "30%"}, choices=CHOICES)
    assert (plan.rate, plan.load) == (None, ("30%",))


def test_like_when_the_run_is_older_than_a_dimension_then_it_has_what_every_run_had_then() -> None:
    plan = {key: value for key, value in make_plan({"rate": 2.0}).model_dump(mode="json").items() if key != "load"}
    older = replace(manifest_of(make_plan({})), plan=plan)
    assert plan_like(older, {}, choices=CHOICES).load == ("fixed",)


def test_like_when_it_is_the_same_machine_then_its_notes_say_only_which_run_it_was() -> None:
    assert plan_like(manifest_of(make_plan({})), {}, choices=CHOICES).notes == ("the plan is that of earlier",)


def test_like_when_machine_and_versions_differ_then_the_notes_say_so() -> None:
    there = replace(
        manifest_of(make_plan({})), machine={**machine(), "cpu": "other"}, versions={**versions(), "channels": "9"}
    )
    notes = plan_like(there, {}, choices=CHOICES).notes
    assert [note.partition(" and ")[0] for note in notes] == [
        "the plan is that of earlier",
        "not as in earlier: machine cpu: other",
        "not as in earlier: version channels: 9",
    ]


def test_like_when_it_cannot_be_repeated_here_then_all_problems_are_told_at_once() -> None:
    plan = make_plan({}).model_dump(mode="json")
    gone = {key: value for key, value in plan.items() if key != "payload_size"}
    there = replace(manifest_of(make_plan({})), plan={**gone, "layers": ["redis", "quantum"], "speed": 3})
    with pytest.raises(PlanError) as refused:
        plan_like(there, {}, choices=CHOICES)
    for said in (
        "earlier cannot be repeated here:",
        "payload_size: that run is older than this key and does not say what it had; give --payload-size",
        "unknown layer 'quantum'",
        "speed: unknown key",
    ):
        assert said in str(refused.value)


def test_like_when_what_it_does_not_say_is_given_then_it_is_repeated() -> None:
    plan = {key: value for key, value in make_plan({}).model_dump(mode="json").items() if key != "payload_size"}
    there = replace(manifest_of(make_plan({})), plan=plan)
    assert plan_like(there, {"payload_size": 100}, choices=CHOICES).payload_size == 100


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--like", "none"], "--like none: could not read none/manifest.json"),
        (["--like", str(REFERENCE), "--profile", "full"], "leave out --profile"),
        (["--like", str(REFERENCE), "--plan", "plan.toml"], "leave out --plan"),
        (["--like", str(REFERENCE), "--resume", str(REFERENCE)], "leave out --like"),
    ],
)
def test_bench_when_like_is_given_wrongly_then_exit_2(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["channels-loadtest", "bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert says in " ".join(capsys.readouterr().err.split())
