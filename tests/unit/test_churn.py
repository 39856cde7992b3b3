"""Churn: single drops at the times of a Poisson process, bursts where the scenario says so, all as the seed has it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise, repeat
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from scipy import stats

from loadtest.load import Job
from loadtest.users import WebSocketUser, churn
from loadtest.users.churn import ChurnUser, Dropping
from loadtest.users.drop_plan import DropPlan, rounds, shuffled
from loadtest.users.pacing import Schedule
from loadtest.users.session import Session

S = 1_000_000_000
KINDS = ("close", "fin", "midframe", "rst")
ENOUGH = 0.01
"""The least p-value that a true sample of a fixed seed is to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    at_s: float
    member: int
    kind: str
    away_s: float


@dataclass(slots=True, kw_only=True)
class Simulation:
    """A clock that jumps to where a sleeper wants to be, and what was dropped."""

    now_ns: int = 0
    until_s: float
    drops: list[Dropped] = field(default_factory=list)
    is_over: bool = False

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)
        self.is_over = self.now_ns > self.until_s * S

    @property
    def times(self) -> list[float]:
        return [drop.at_s for drop in self.drops]


class Member(ChurnUser):
    """A member without a connection or a running test."""

    abstract = True
    opens_again_after: ClassVar[float] = 1.0
    """Times its time away: how long a server takes to let it in again."""

    def __init__(self, simulation: Simulation, number: int) -> None:
        self.simulation = simulation
        self.number = number
        self.back_ns = 0

    @property
    def is_open(self) -> bool:
        return self.simulation.now_ns >= self.back_ns

    def drop(self, kind: str, *, away_s: float) -> None:
        assert self.is_open
        now_ns = self.simulation.now_ns
        self.back_ns = now_ns + round(away_s * self.opens_again_after * S)
        self.simulation.drops.append(Dropped(at_s=now_ns / S, member=self.number, kind=kind, away_s=away_s))


class SlowToComeBack(Member):
    abstract = True
    opens_again_after = 3.0


class DroppedTogether(Member):
    abstract = True
    dropped_at_once = 0.5


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Simulation]:
    def run(
        cls: type[Member] = Member, *, members: int = 80, until_s: float = 100.0, seed: int = 1, **load: Any
    ) -> Simulation:
        job = Job(host="ws://h", drop_kind=KINDS, seed=seed).model_copy(update=load)
        simulation = Simulation(until_s=until_s)
        monkeypatch.setattr(churn, "monotonic_ns", lambda: simulation.now_ns)
        monkeypatch.setattr(churn, "sleep", simulation.sleep)
        there: Any = [cls(simulation, number) for number in range(members)]
        session: Any = SessionOf(load=job, members=there, simulation=simulation)
        Dropping(session)._run()
        return simulation

    return run


@dataclass(slots=True, kw_only=True)
class SessionOf:
    """A session as far as dropping needs one."""

    load: Job
    members: list[Member]
    simulation: Simulation

    stream = Session.stream

    @property
    def may_send(self) -> bool:
        return not self.simulation.is_over


Simulate = Callable[..., Simulation]


def test_drops_when_single_then_they_are_a_poisson_process_of_the_rate_that_is_asked_for(simulate: Simulate) -> None:
    times = simulate(drop_share=0.3, until_s=100).times
    assert len(times) == pytest.approx(80 * 0.3 * 100, abs=3 * (80 * 0.3 * 100) ** 0.5)
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert stats.kstest(gaps, "expon", args=(0, 1 / 24)).pvalue > ENOUGH
    assert stats.kstest([time / 100 for time in times], "uniform").pvalue > ENOUGH


def test_drops_when_single_then_they_have_no_phase_in_a_second_and_none_is_first(simulate: Simulate) -> None:
    times = simulate(drop_share=0.3).times
    assert stats.kstest([time % 1 for time in times], "uniform").pvalue > ENOUGH
    firsts = [simulate(drop_share=0.3, until_s=2, seed=seed).times[0] for seed in range(300)]
    assert stats.kstest(firsts, "expon", args=(0, 1 / 24)).pvalue > ENOUGH


def test_drops_when_there_are_several_kinds_then_they_are_balanced_and_keep_no_place(simulate: Simulate) -> None:
    kinds = [drop.kind for drop in simulate().drops]
    counts = Counter(kinds).values()
    assert max(counts) - min(counts) <= 1
    places = Counter((place % len(KINDS), kind) for place, kind in enumerate(kinds))
    assert stats.chisquare([places[place, kind] for place in range(4) for kind in KINDS]).pvalue > ENOUGH


def test_drops_when_many_then_every_member_is_as_likely_as_any_other(simulate: Simulate) -> None:
    members = Counter(drop.member for drop in simulate(until_s=400).drops)
    assert stats.chisquare([members[number] for number in range(80)]).pvalue > ENOUGH


def test_drops_when_a_member_is_away_then_for_half_to_one_and_a_half_of_the_mean(simulate: Simulate) -> None:
    away = [drop.away_s for drop in simulate(offline=0.6).drops]
    assert stats.kstest(away, "uniform", args=(0.3, 0.6)).pvalue > ENOUGH
    assert max(away) <= Job(offline=0.6).longest_offline == pytest.approx(0.9)


def test_drops_when_the_server_is_slow_then_times_kinds_and_times_away_are_the_same_all_the_same(
    simulate: Simulate,
) -> None:
    quick, slow = simulate().drops, simulate(SlowToComeBack).drops
    assert [(drop.at_s, drop.kind, drop.away_s) for drop in quick] == [
        (drop.at_s, drop.kind, drop.away_s) for drop in slow
    ]
    same = sum(one.member == other.member for one, other in zip(quick, slow, strict=True))
    assert len(quick) / 3 < same < len(quick), "the same members where they are there in both"


def test_drops_when_the_seed_or_the_generator_is_another_then_so_is_everything(simulate: Simulate) -> None:
    one, again, other = simulate(seed=5), simulate(seed=5), simulate(seed=6)
    assert one.drops == again.drops
    assert not {*one.times} & {*other.times}
    assert not {*one.times} & {*simulate(seed=5, generator=2).times}


@pytest.mark.parametrize(("members", "share"), [(0, 0.3), (80, 0.0)])
def test_drops_when_there_is_nobody_or_nothing_to_drop_then_dropping_ends(
    simulate: Simulate, members: int, share: float
) -> None:
    assert simulate(members=members, drop_share=share).drops == []


def test_drops_when_all_are_away_then_none_is_dropped_twice(simulate: Simulate) -> None:
    drops = simulate(members=3, drop_share=1.0, offline=20, until_s=9).drops
    assert sorted(drop.member for drop in drops) == [0, 1, 2]


def test_bursts_when_a_scenario_drops_half_at_once_then_bursts_are_a_poisson_process(simulate: Simulate) -> None:
    drops = simulate(DroppedTogether, drop_share=0.3, offline=0.1, until_s=1000).drops
    bursts = Counter(drop.at_s for drop in drops)
    assert len(bursts) == pytest.approx(600, abs=3 * 600**0.5)
    gaps = [later - sooner for sooner, later in pairwise(bursts)]
    assert stats.kstest(gaps, "expon", args=(0, 1 / 0.6)).pvalue > ENOUGH
    assert Counter(bursts.values()).most_common(1)[0][0] == 40
    assert all(len({drop.member for drop in drops if drop.at_s == time}) == bursts[time] for time in [*bursts][:20])


def test_dropping_when_members_join_later_then_they_are_dropped_too(simulate: Simulate) -> None:
    simulation = Simulation(until_s=1)
    members: Any = [Member(simulation, 0), object()]
    session: Any = SimpleNamespace(
        load=Job(drop_kind=KINDS), members=members, stream=lambda name: random.Random(name), may_send=True
    )
    dropping = Dropping(session)
    assert [member.number for member in dropping._droppable()] == [0]
    members.append(Member(simulation, 1))
    assert [member.number for member in dropping._droppable()] == [0, 1]


def test_plan_when_more_members_are_looked_at_then_no_other_choice_moves() -> None:
    def choices(looked_at: int) -> list[tuple[object, ...]]:
        plan = DropPlan(random.Random, kinds=KINDS, offline=1)
        made: list[tuple[object, ...]] = []
        for _ in range(20):
            members = [*islice(plan.in_random_order(range(50)), looked_at)]
            made.append((plan.gap_s(3), plan.kind(), plan.away_s(), members[0]))
        return made

    assert choices(1) == choices(40)


def test_rounds_when_a_round_is_over_then_the_next_has_an_order_of_its_own() -> None:
    kinds: Iterator[str] = rounds(KINDS, random.Random(1))
    orders = [tuple(next(kinds) for _ in KINDS) for _ in range(200)]
    assert {tuple(sorted(order)) for order in orders} == {KINDS}
    assert len({*orders}) == 24


def test_shuffled_when_taken_to_the_end_then_each_item_is_there_once_and_every_order_as_likely() -> None:
    orders = Counter(tuple(shuffled("abc", random.Random(seed))) for seed in range(3000))
    assert len(orders) == 6
    assert stats.chisquare([*orders.values()]).pvalue > ENOUGH
    assert sorted(shuffled(range(100), random.Random(1))) == [*range(100)]


class Back:
    """The event that a member is back; each wait for it ends with the member back."""

    def __init__(self) -> None:
        self.is_back = False
        self.waits = 0

    def is_set(self) -> bool:
        return self.is_back

    def wait(self) -> None:
        self.waits += 1
        self.is_back = True


def test_member_when_dropped_again_while_it_waits_for_its_next_message_then_it_stays_away_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member: Any = Member(Simulation(until_s=1), 0)
    back = member._back = Back()
    member.schedule = Schedule(repeat(S), start_ns=0)
    drops_to_come = iter([True, False])

    def sleep(_seconds: float) -> None:
        back.is_back = not next(drops_to_come)

    opened_while_back: list[bool] = []
    parent: Callable[[Any], None] = lambda _self: opened_while_back.append(back.is_back)  # noqa: E731
    monkeypatch.setattr(churn, "sleep", sleep)
    monkeypatch.setattr(WebSocketUser, "stay_open", parent)
    member.stay_open()
    assert (back.waits, opened_while_back) == (2, [True])


@pytest.mark.parametrize(("share", "count"), [(0.25, 20), (0.001, 1), (1.0, 80)])
def test_dropping_now_when_a_share_is_asked_for_then_so_many_are_dropped_at_once_and_one_at_least(
    share: float, count: int
) -> None:
    simulation = Simulation(until_s=1)
    members: Any = [Member(simulation, number) for number in range(80)]
    session: Any = SessionOf(load=Job(host="ws://h"), members=members, simulation=simulation)
    dropping = Dropping(session)
    dropping.drop_now("fin", share)
    assert len(simulation.drops) == count
    assert {(drop.kind, drop.at_s) for drop in simulation.drops} == {("fin", 0.0)}
    dropping.drop_now("fin", 1.0)
    assert len(simulation.drops) == 80, "who is away is not dropped again"


def test_dropping_now_when_nobody_can_be_dropped_then_nothing_happens() -> None:
    simulation = Simulation(until_s=1)
    session: Any = SessionOf(load=Job(host="ws://h"), members=[], simulation=simulation)
    Dropping(session).drop_now("fin", 0.5)
    assert simulation.drops == []
