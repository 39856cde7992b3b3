"""Drops and scenarios as a plan takes them: names with parameters, all of them, those that cannot be done here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import loadtest.drops
from loadtest.bench import profiles
from loadtest.bench.choices import values_in
from loadtest.bench.generator import duration_of, generators_of, settle_s, users_of_generator
from loadtest.bench.plan import Plan, PlanError, Trial
from loadtest.dimensions import DROP
from loadtest.drops import DROPS, find_drop
from loadtest.outages import OUTAGES
from loadtest.users.options import OptionsError, read_job
from tests.unit.plans import CHOICES, make_plan

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
WHY = "needs a right that nobody here has"


@pytest.fixture
def no_vanish(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which one of the drops cannot be done, and all others can."""
    drops = {name: replace(drop, unavailable=lambda: None) for name, drop in DROPS.items()}
    drops["vanish"] = replace(drops["vanish"], unavailable=lambda: WHY)
    for module in (loadtest.drops, profiles):
        monkeypatch.setattr(module, "DROPS", MappingProxyType(drops))
    find_drop.cache_clear()
    yield
    find_drop.cache_clear()


def churn_trials(**given: Any) -> list[Trial]:
    return make_plan(
        {"scenarios": "churn", "layers": "inmemory", "consumers": "async", "load": "fixed", "trials": 1, **given}
    ).trials_in_order()


def test_plan_when_nothing_is_named_then_it_has_the_four_drops_and_two_scenarios_of_the_default() -> None:
    assert Plan.model_validate({}).drops == ("close", "fin", "midframe", "rst")
    assert sorted(make_plan({}).scenarios) == ["churn", "echo"]
    assert (Plan.model_validate({}).server_ping, make_plan({}).server_ping, make_plan({}).notes) == (None, None, ())


def test_plan_when_drops_have_parameters_then_they_are_the_cells_names() -> None:
    trials = churn_trials(drops="close:4001:gone home,close:1001,midframe:7", mix_drops=False)
    assert {trial.cell[DROP] for trial in trials} == {"close:4001:gone home", "close:1001", "midframe:7"}


def test_trial_folder_when_a_reason_has_a_slash_then_it_stays_one_folder() -> None:
    (trial,) = churn_trials(drops="close:4001:../..", mix_drops=False)
    assert trial.folder.count("/") == 1
    assert ".." not in trial.folder.split("/")


def test_plan_when_drops_are_ill_formed_then_each_is_named() -> None:
    with pytest.raises(PlanError) as caught:
        make_plan({"drops": "close:1005,nope,rst:2,fin"})
    for complaint in ("'close:1005': ", "unknown drop 'nope'; there are ", "'rst:2': "):
        assert complaint in str(caught.value)


def test_plan_when_a_drop_asked_for_by_name_cannot_be_done_then_it_is_refused_with_the_reason(no_vanish: None) -> None:
    with pytest.raises(PlanError, match=f"the drop vanish cannot be done here: {WHY}"):
        make_plan({"drops": "close,vanish"})


def test_plan_when_all_drops_are_asked_for_then_what_cannot_be_done_is_left_out_loudly(no_vanish: None) -> None:
    plan = make_plan({"drops": "all,close:4001"})
    assert set(plan.drops) == {*DROPS, "sigkill", "close:4001"} - {"vanish"}
    assert plan.notes[0] == f"the drop vanish was left out: {WHY}"


def test_options_when_a_drop_cannot_be_done_then_it_is_refused_with_the_reason(no_vanish: None) -> None:
    with pytest.raises(OptionsError, match=f"--drop-kind: the drop vanish cannot be done here: {WHY}"):
        read_job({"drop_kind": "vanish"}, "ws://127.0.0.1:1")


def test_options_when_drops_have_parameters_then_they_are_taken() -> None:
    load = read_job({"drop_kind": "close:4001, midframe:7"}, "ws://127.0.0.1:1")
    assert load.drop_kind == ("close:4001", "midframe:7")


def test_options_when_a_drop_would_end_the_only_generator_then_it_is_refused() -> None:
    with pytest.raises(OptionsError, match="--drop-kind: sigkill ends or stops a whole generator; only `channels-lo"):
        read_job({"drop_kind": "rst,sigkill"}, "ws://127.0.0.1:1")


def test_plan_when_a_drop_ends_a_whole_generator_then_it_is_mixed_with_no_other() -> None:
    plan = make_plan({"scenarios": "churn", "layers": "inmemory", "consumers": "async", "drops": "rst,sigkill,fin"})
    assert {cell[DROP]: plan.drops_of(cell) for cell in plan.cells()} == {
        "mixed": ("rst", "fin"),
        "sigkill": ("sigkill",),
    }


def test_plan_when_a_generator_is_to_be_killed_then_two_share_the_users() -> None:
    alone, shared = churn_trials(drops="rst,sigkill", mix_drops=False)
    if alone.cell[DROP] == "sigkill":
        alone, shared = shared, alone
    plan = make_plan({"drops": "rst,sigkill", "users": 7})
    assert (generators_of(plan, alone), generators_of(plan, shared)) == (1, 2)
    assert [users_of_generator(plan, shared, number) for number in (1, 2)] == [4, 3]


def test_plan_when_a_generator_is_to_be_killed_and_there_is_one_user_then_it_is_refused() -> None:
    with pytest.raises(PlanError, match="users: the drop sigkill ends a generator with half of the users"):
        make_plan({"drops": "sigkill", "users": 1})


def test_server_ping_when_a_quick_plan_has_silent_drops_then_it_is_short_and_that_is_said() -> None:
    plan = make_plan({"drops": "close,zombie"})
    assert plan.pings == (1.0, 1.0)
    assert "1/1 s in every trial, for the silent drops zombie" in plan.notes[0]


@pytest.mark.parametrize(
    ("given", "pings"),
    [
        ({"drops": "zombie", "server_ping": "20/20"}, (20.0, 20.0)),
        ({"drops": "zombie", "profile": "standard"}, None),
        ({"drops": "zombie", "scenarios": "echo"}, None),
        ({"drops": "half-close"}, None),
        ({"server_ping": "0.5/2"}, (0.5, 2.0)),
    ],
)
def test_server_ping_when_told_or_not_needed_then_it_is_that(given: dict[str, Any], pings: Any) -> None:
    plan = make_plan(given)
    assert (plan.pings, plan.notes) == (pings, ())


def test_server_ping_when_it_is_none_then_that_is_said() -> None:
    with pytest.raises(PlanError, match=r"server_ping: INTERVAL/TIMEOUT in seconds, .* got '20'"):
        make_plan({"server_ping": "20"})


def test_plan_when_taken_up_from_its_dump_then_it_is_the_same_but_for_its_notes() -> None:
    plan = make_plan({"drops": "all"})
    again = make_plan(plan.model_dump(mode="json"))
    assert plan.notes and not again.notes
    assert again.model_dump() == plan.model_dump()


def test_settle_when_a_drop_is_silent_then_it_is_longer_than_the_servers_pings() -> None:
    for given, wanted in (
        ({"drops": "zombie"}, 1 + 1 + 5),
        ({"drops": "zombie,close", "server_ping": "20/20"}, 20 + 20 + 5),
        ({"drops": "never-reader", "profile": "standard"}, 20 + 20 + 10),
        ({"drops": "close"}, 5),
    ):
        plan = make_plan({"scenarios": "churn", **given})
        assert settle_s(plan, plan.trials_in_order()[0]) == wanted


def test_duration_when_the_plan_says_none_then_it_is_the_scenarios_own() -> None:
    for given, wanted in (({}, 12.0), ({"duration": 4.0}, 4.0), ({"profile": "standard"}, 9.5)):
        plan = make_plan({"scenarios": "idle", **given})
        assert duration_of(plan, plan.trials_in_order()[0]) == wanted
    assert duration_of(make_plan({"scenarios": "echo"}), make_plan({"scenarios": "echo"}).trials_in_order()[0]) == 2.0


def test_outcome_when_the_server_is_not_told_at_once_then_it_is_not_left_to_chance() -> None:
    for kind in DROPS.values():
        if kind.silent or kind.stage != "open":
            assert kind.outcome != "chance", kind.name
    assert {name for name, kind in DROPS.items() if kind.outcome == "certain"} == {"burst-close", "upgrade-gone"}


def test_outcome_when_a_drop_has_a_parameter_then_the_manifest_tells_it_all_the_same() -> None:
    names = ["rst", "close:4001", "burst-close", "burst-close:100", "burst-close:1"]
    told = values_in(CHOICES, {"drops": names})["drop"]
    assert [value.name for value in told] == names
    assert [value.outcome for value in told] == ["chance", "chance", "certain", "certain", "other"]


def test_docs_when_read_then_every_drop_is_in_them_as_the_code_has_it() -> None:
    text = (DOCS / "drops.md").read_text(encoding="utf-8")
    for kind in DROPS.values():
        mark = " *" if kind.default else ""
        assert f"| `{kind.form}`{mark} | {kind.wire} |" in text
    for outage in OUTAGES.values():
        assert f"| `{outage.name}` | {outage.summary} |" in text
