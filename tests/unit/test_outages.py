"""Outages: what every kind keeps, how they stand in a plan, and that one is healed whatever happens."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.generator import generators_of, job_of
from loadtest.bench.outage import EndingGenerator, Injected, times_of
from loadtest.bench.plan import Plan, PlanError
from loadtest.dimensions import DROP, LAYER
from loadtest.drops import DROPS
from loadtest.outages import OUTAGES, Outage, problem_with_ending
from loadtest.phases import Order, OutageTimes, Task
from tests.unit.plans import make_plan


@dataclass
class Subject:
    """Notes the signals that it gets."""

    got: list[signal.Signals] = field(default_factory=list)

    def signal(self, number: signal.Signals) -> None:
        self.got.append(number)


def churn(**given: Any) -> Plan:
    return make_plan(
        {"scenarios": "churn", "layers": "inmemory", "consumers": "async", "load": "fixed", "trials": 1, **given}
    )


@pytest.fixture(params=list(OUTAGES.values()), ids=list(OUTAGES))
def outage(request: pytest.FixtureRequest) -> Outage:
    kind: Outage = request.param
    return kind


# the contract that every kind keeps


def test_outages_when_listed_then_none_has_the_name_of_a_drop() -> None:
    assert set(OUTAGES) == {"sigkill", "server-pause", "broker-pause"}
    assert not OUTAGES.keys() & DROPS.keys()
    assert [name for name, outage in OUTAGES.items() if outage.in_all] == ["sigkill"]


@pytest.mark.parametrize("steady_s", [0.1, 3.0, 60.0])
def test_outage_when_planned_then_it_begins_and_is_healed_within_the_steady_window(
    outage: Outage, steady_s: float
) -> None:
    times = times_of(outage, steady_s, kills=2)
    assert times is not None
    assert 0 < times.begin_s < (times.heal_s or steady_s) <= steady_s
    assert times.kills == (2 if outage.ends_process else None)


def test_outage_when_it_ends_a_process_then_that_is_a_generator_and_there_is_nothing_to_heal(outage: Outage) -> None:
    assert not outage.ends_process or (outage.of == "generator" and outage.heals_s is None)


def test_outage_when_it_is_healed_then_what_was_stopped_goes_on_and_nothing_else_is_done_to_it(outage: Outage) -> None:
    subject = Subject()
    outage.begin(subject)
    began_with = list(subject.got)
    outage.heal(subject)
    healed_by = subject.got[len(began_with) :]
    assert began_with == ([signal.SIGKILL] if outage.heals_s is None else [signal.SIGSTOP])
    assert healed_by == ([] if outage.heals_s is None else [signal.SIGCONT])


# in a plan


@pytest.mark.parametrize("name", OUTAGES)
def test_plan_when_an_outage_is_asked_for_then_it_is_a_cell_of_its_own_in_which_no_member_is_dropped(name: str) -> None:
    plan = churn(drops=f"rst,{name},fin", layers="redis", users=8)
    assert {cell[DROP] for cell in plan.cells()} == {"mixed", name}
    assert plan.drops == ("rst", name, "fin")
    (trial,) = (trial for trial in plan.trials_in_order() if trial.cell[DROP] == name)
    job = job_of(plan, trial, folder=Path("/x"))
    assert job.drop_share == 0
    assert plan.drops_of(trial.cell) == (("sigkill",) if name == "sigkill" else ())
    assert generators_of(plan, trial) == (2 if name == "sigkill" else 1)


def test_plan_when_all_drops_are_asked_for_then_no_pause_is_among_them() -> None:
    assert "sigkill" in make_plan({"drops": "all"}).drops
    assert not {"server-pause", "broker-pause"} & set(make_plan({"drops": "all"}).drops)
    assert "server-pause" in make_plan({"drops": "all,server-pause"}).drops


def test_plan_when_a_layer_has_no_broker_then_its_outage_is_left_out_there_with_a_note() -> None:
    plan = churn(layers="inmemory,redis", drops="fin,broker-pause")
    assert {(cell[LAYER], cell[DROP]) for cell in plan.cells()} == {
        ("inmemory", "fin"), ("redis", "fin"), ("redis", "broker-pause"),
    }  # fmt: skip
    assert plan.notes == ("broker-pause was left out on the layer inmemory, which has no broker",)
    assert churn(layers="redis", drops="broker-pause").notes == ()


def test_plan_when_no_layer_has_a_broker_then_an_outage_of_it_alone_is_refused() -> None:
    with pytest.raises(PlanError, match="drops: broker-pause needs a layer with a broker, and inmemory has none"):
        churn(drops="broker-pause")


def test_name_when_it_is_no_drop_and_no_outage_then_both_are_told() -> None:
    problem = problem_with_ending("typo")
    assert problem is not None
    assert all(name in problem for name in (*DROPS, *OUTAGES))


# brought about


def test_injected_when_a_trial_breaks_then_what_was_begun_is_healed_once() -> None:
    subject = Subject()
    with pytest.raises(KeyboardInterrupt), Injected(OUTAGES["server-pause"], subject) as injected:
        injected.carry_out(Order(task=Task.BEGIN_OUTAGE))
        assert injected.is_under_way
        raise KeyboardInterrupt
    assert subject.got == [signal.SIGSTOP, signal.SIGCONT]


def test_injected_when_it_was_healed_in_time_then_the_end_does_nothing_more() -> None:
    subject = Subject()
    with Injected(OUTAGES["broker-pause"], subject) as injected:
        assert not injected.stops_broker
        injected.carry_out(Order(task=Task.BEGIN_OUTAGE))
        assert injected.stops_broker
        injected.carry_out(Order(task=Task.HEAL_OUTAGE))
        assert not injected.stops_broker
    assert subject.got == [signal.SIGSTOP, signal.SIGCONT]


def test_injected_when_there_is_no_outage_then_nothing_is_done() -> None:
    with Injected(None, None) as injected:
        injected.begin()
    assert not injected.has_begun
    assert times_of(None, 3.0, kills=2) is None


def test_generator_when_it_is_to_be_killed_then_it_is_told_to_record_that_and_do_it_itself() -> None:
    sent: list[tuple[int, Order]] = []

    class Conducting:
        def send(self, generator: int, order: Order) -> None:
            sent.append((generator, order))

    conducting: Any = Conducting()
    OUTAGES["sigkill"].begin(EndingGenerator(conducting=conducting, generator=2, outage="sigkill"))
    assert sent == [(2, Order(task=Task.DIE, name="sigkill", value=signal.SIGKILL))]
    assert times_of(OUTAGES["sigkill"], 2.0, kills=2) == OutageTimes(begin_s=0.5, kills=2)
