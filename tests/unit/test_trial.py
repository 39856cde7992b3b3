"""A trial's end: what cannot be read is said of that trial, and the others go on."""

import itertools
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from loadtest.bench import trial as trial_module
from loadtest.bench.generator import LEDGER
from loadtest.bench.outage import Injected, times_of
from loadtest.bench.trial import (
    TrialFailed,
    _conduct,
    _of_this_trial_alone,
    _Parts,
    _subject,
    _what_failed,
    taken_ledgers,
)
from loadtest.ledger import Phase
from loadtest.ledger.reader import SCHEMA, read_ledger
from loadtest.outages import OUTAGES, Outage, Subject
from loadtest.outages.kind import one_third, pause, resume, two_thirds
from loadtest.phases import Failure, Order, Task
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.pinning import floating
from loadtest.targets import CollectedLedger


def test_trial_when_a_ledger_is_damaged_then_it_fails_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / LEDGER).mkdir()
    damaged = tmp_path / LEDGER / "client-7-1.ledger"
    damaged.write_bytes(b"not a ledger" * 10)
    target: Any = SimpleNamespace(collect_ledger=lambda: CollectedLedger(records=read_ledger(tmp_path, "server")))
    with pytest.raises(TrialFailed, match=rf"a ledger cannot be read: {damaged} is no ledger"):
        taken_ledgers(target, tmp_path)
    assert damaged.exists(), "what was recorded stays, to be looked at"


def test_trial_when_the_targets_clock_is_ahead_then_its_records_are_put_on_ours() -> None:
    with_one = pl.DataFrame([{**dict.fromkeys(SCHEMA), "time_ns": 1_000}], schema=SCHEMA)
    ahead = CollectedLedger(records=with_one, clock_offset_ns=300, clock_bound_ns=10)
    assert ahead.in_our_time["time_ns"].to_list() == [700]
    assert ahead.in_our_time.schema == with_one.schema


@pytest.mark.parametrize(("has_died", "fails"), [(True, TrialFailed), (False, EnvironmentFailed)])
def test_trial_when_the_server_does_not_answer_before_it_begins_then_the_others_go_on_only_where_it_has_died(
    has_died: bool, fails: type[Exception]
) -> None:
    def require_alive() -> None:
        if has_died:
            raise EnvironmentFailed("the target died (SIGKILL)")

    waited: list[float] = []
    target = SimpleNamespace(processes=[SimpleNamespace(wait=waited.append)])
    measured: Any = SimpleNamespace(target=target, require_alive=require_alive)
    with pytest.raises(fails, match="SIGKILL" if has_died else "no message comes back"), _of_this_trial_alone(measured):
        raise EnvironmentFailed("no message comes back")
    assert waited, "its connections end a moment before it has ended"


@pytest.mark.parametrize(
    ("failure", "code", "why"),
    [
        (
            Failure(generators=(1,), why="stuck", phase=Phase.WARM_UP),
            None,
            "Locust did not get through its warm-up in time; its log: /l",
        ),
        (
            Failure(generators=(1,), why="ended", phase=Phase.WARM_UP),
            None,
            "Locust takes no more orders and still runs; its log: /l",
        ),
        (
            Failure(generators=(1,), why="ended", phase=Phase.WARM_UP),
            3,
            "the generator ended early (exit code 3); its last lines:\n  oh",
        ),
        (
            Failure(generators=(1,), why="garbled", phase=None, said="what is no report of a generator: b'x'"),
            None,
            "Locust sent what is no report of a generator: b'x'; its log: /l",
        ),
        (
            Failure(generators=(), why="garbled", phase=None, said="what is no report of a generator: b'x'"),
            None,
            "a generator, it is not known which, sent what is no report of a generator: b'x'",
        ),
    ],
)
def test_trial_when_a_generator_fails_then_it_is_said_what_that_did(
    failure: Failure, code: int | None, why: str
) -> None:
    process: Any = SimpleNamespace(name="Locust", log="/l", wait=lambda _: code, log_tail=lambda: "  oh")
    generators: Any = SimpleNamespace(processes={1: process}, mortal=None)
    injected: Any = SimpleNamespace(has_begun=False)
    assert _what_failed(failure, generators, injected) == why


GENERATOR_PAUSE = Outage(
    name="toy",
    of="generator",
    summary="nothing",
    begin=pause,
    heal=resume,
    begins_s=one_third,
    heals_s=two_thirds,
)


def subject(outage: Outage, signals: list[tuple[str, int]]) -> Subject | None:
    """Return what the outage is of in a trial whose parts note their signals."""

    def part(name: str) -> Any:
        return SimpleNamespace(pid=1, signal=lambda number: signals.append((name, number)))

    def send(generator: int, order: Order) -> None:
        signals.append((f"order to {generator}: {order.task.value}", order.value))

    measured: Any = SimpleNamespace(target=SimpleNamespace(processes=(part("server"),)), broker=part("broker"))
    generators: Any = SimpleNamespace(
        processes={1: part("generator 1"), 2: part("generator 2")}, conducting=SimpleNamespace(send=send)
    )
    return _subject(outage, measured, generators)


@pytest.mark.parametrize(
    ("outage", "signals"),
    [
        (GENERATOR_PAUSE, [("generator 2", signal.SIGSTOP), ("generator 2", signal.SIGCONT)]),
        (OUTAGES["sigkill"], [("order to 2: die", signal.SIGKILL)]),
        (OUTAGES["server-pause"], [("server", signal.SIGSTOP), ("server", signal.SIGCONT)]),
        (OUTAGES["broker-pause"], [("broker", signal.SIGSTOP), ("broker", signal.SIGCONT)]),
    ],
)
def test_outage_when_it_is_brought_about_then_only_a_generator_that_ends_is_asked_to_do_it_itself(
    outage: Outage, signals: list[tuple[str, int]]
) -> None:
    got: list[tuple[str, int]] = []
    with Injected(outage, subject(outage, got)) as injected:
        injected.begin()
    assert got == signals


def test_outage_when_it_only_pauses_a_generator_then_the_conductor_does_not_expect_it_to_end() -> None:
    times = times_of(GENERATOR_PAUSE, 3.0, kills=2)
    assert times is not None and times.kills is None


class Turns:
    """A conductor that notes when it has a turn, and gives an order when a generator has ended."""

    failure = None

    def __init__(self, lasts_s: float) -> None:
        self.until_s = time.monotonic() + lasts_s
        self.at_s: list[float] = []

    @property
    def is_measured(self) -> bool:
        return time.monotonic() >= self.until_s

    def start(self) -> None:
        pass

    def turn(self, wait_s: float) -> list[Order]:
        self.at_s.append(time.monotonic())
        time.sleep(wait_s)
        return []

    def ended(self, _generator: int) -> list[Order]:
        return [Order(task=Task.HEAL_OUTAGE)]


def parts(injected: Injected, require_broker: Any) -> _Parts:
    target = SimpleNamespace(processes=(), require_alive=lambda: None)
    broker = SimpleNamespace(require_alive=require_broker)
    measured: Any = SimpleNamespace(target=target, broker=broker)
    return _Parts(measured=measured, injected=injected, placement=floating(frozenset()))


def test_order_when_the_broker_answers_late_then_it_is_not_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "_ALIVE_CHECK_S", 0.05)
    turns = Turns(0.8)
    generators: Any = SimpleNamespace(processes={}, conducting=turns, mortal=None)
    asked: list[int] = []

    def answer_late() -> None:
        asked.append(1)
        time.sleep(0.6)

    _conduct(generators, parts(Injected(None, None), answer_late))
    assert asked
    assert max(later - before for before, later in itertools.pairwise(turns.at_s)) < 0.3


def test_broker_when_it_does_not_answer_then_the_trial_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "_ALIVE_CHECK_S", 0.05)
    generators: Any = SimpleNamespace(processes={}, conducting=Turns(5), mortal=None)

    def be_dead() -> None:
        raise EnvironmentFailed("the broker is gone")

    with pytest.raises(TrialFailed, match="the broker is gone"):
        _conduct(generators, parts(Injected(None, None), be_dead))


def test_broker_when_it_is_stopped_while_it_is_asked_then_it_counts_as_alive() -> None:
    stopped: Any = SimpleNamespace(signal=lambda _: None)
    injected = Injected(OUTAGES["broker-pause"], stopped)

    def be_stopped() -> None:
        injected.begin()
        injected.heal()
        raise EnvironmentFailed("the broker does not answer")

    parts(injected, be_stopped).require_alive()


def test_generator_when_its_end_brings_an_order_for_the_bench_then_it_is_carried_out() -> None:
    carried: list[Order] = []
    injected: Any = SimpleNamespace(carry_out=carried.append)
    ended = SimpleNamespace(exited=0)
    generators: Any = SimpleNamespace(processes={1: ended}, conducting=Turns(0.03), mortal=None)
    _conduct(generators, parts(injected, lambda: None))
    assert Order(task=Task.HEAL_OUTAGE) in carried
