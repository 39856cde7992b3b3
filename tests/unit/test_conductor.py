"""The conductor: every order at its time, whatever the generators do; a clock and generators that the test plays."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.ledger import Phase
from loadtest.phases import (
    Conductor,
    Failure,
    Happened,
    LineError,
    Order,
    OutageTimes,
    Report,
    Task,
    Timing,
    read_order,
    read_report,
    write,
)

TIMING = Timing(ramp_s=30, warm_up_s=1, steady_s=3, recover_s=6, drain_s=5, hold_s=60, startup_s=20, closing_s=10)
FREE = Timing(ramp_s=30)
WITH_PAUSE = OutageTimes(begin_s=1, heal_s=2)
WITH_KILL = OutageTimes(begin_s=0.5, kills=2)
REPORTS = (Happened.READY, Happened.OPEN, Happened.BACK, Happened.QUIET, Happened.CLOSED)
IN_ORDER = (
    "begin RAMP", "begin WARM_UP", "drop", "begin STEADY", "stop dropping", "begin RECOVER", "begin DRAIN",
    "begin CLOSE 1", "begin END", "let go",
)  # fmt: skip


def said(order: Order) -> str:
    phase = f" {order.phase.name}" if order.phase else ""
    return f"{order.task.value}{phase}{f' {order.value}' if order.phase is Phase.CLOSE else ''}"


@dataclass
class Stage:
    """A conductor whose clock the test moves, and the orders that it has given so far."""

    conductor: Conductor
    now_s: float = 1000.0
    orders: list[str] = field(default_factory=list)
    at_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._given(self.conductor.start(self.now_s))

    def tell(self, happened: Happened, *generators: int, held: int = 0) -> None:
        for generator in generators:
            report = Report(generator=generator, happened=happened, held=held)
            self._given(self.conductor.told(report, self.now_s))

    def wait(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while (due_s := self.conductor.due_s) is not None and due_s <= until_s:
            self.now_s = max(self.now_s, due_s)
            self._given(self.conductor.tick(self.now_s))
        self.now_s = until_s

    def _given(self, orders: list[Order]) -> None:
        for order in orders:
            self.orders.append(said(order))
            self.at_s[said(order)] = self.now_s


def stage(timing: Timing = TIMING, generators: tuple[int, ...] = (1,), outage: OutageTimes | None = None) -> Stage:
    return Stage(Conductor(timing, generators, outage=outage))


def to_steady(playing: Stage, *generators: int) -> Stage:
    playing.tell(Happened.READY, *generators)
    playing.tell(Happened.OPEN, *generators)
    playing.wait(1)
    assert playing.conductor.phase is Phase.STEADY
    return playing


def to_the_end(playing: Stage, *generators: int) -> Stage:
    playing.wait(3)
    for happened in REPORTS[2:]:
        playing.tell(happened, *generators)
    return playing


def test_conductor_when_two_generators_do_all_they_are_told_then_each_order_comes_once_and_in_order() -> None:
    playing = to_the_end(to_steady(stage(generators=(1, 2)), 1, 2), 1, 2)
    assert tuple(playing.orders) == IN_ORDER
    assert playing.conductor.is_over and playing.conductor.is_measured and playing.conductor.failure is None
    assert playing.at_s["begin STEADY"] - playing.at_s["begin WARM_UP"] == 1
    assert playing.at_s["begin RECOVER"] - playing.at_s["begin STEADY"] == 3
    assert playing.conductor.due_s is None


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("happened", [Happened.READY, Happened.OPEN])
def test_phase_when_one_generator_has_not_reported_then_it_does_not_end(happened: Happened, missing: int) -> None:
    playing = stage(generators=(1, 2))
    if happened is Happened.OPEN:
        playing.tell(Happened.READY, 1, 2)
    before, phase = list(playing.orders), playing.conductor.phase
    there = 3 - missing
    playing.tell(happened, there, there, there)
    assert playing.orders == before
    playing.tell(happened, missing)
    assert playing.conductor.phase is not phase


@pytest.mark.parametrize(
    ("reported", "deadline_s", "order"),
    [(1, 30, "begin WARM_UP"), (2, 1 + 3 + 6, "begin DRAIN"), (3, 5, "begin CLOSE 0")],
)
def test_phase_when_its_deadline_comes_first_then_the_next_one_begins_all_the_same(
    reported: int, deadline_s: float, order: str
) -> None:
    playing = stage(generators=(1, 2))
    for happened in REPORTS[:reported]:
        if happened is Happened.BACK:
            playing.wait(1 + 3)
        playing.tell(happened, 1, 2)
    playing.wait(deadline_s - 0.001)
    assert order not in playing.orders
    playing.wait(0.002)
    assert order in playing.orders


@pytest.mark.parametrize(("reported", "phase", "wait_s"), [(0, None, 20), (4, Phase.CLOSE, 10)])
def test_conductor_when_a_generator_is_stuck_then_it_is_named(
    reported: int, phase: Phase | None, wait_s: float
) -> None:
    playing = stage(generators=(1, 2))
    for happened in REPORTS[:reported]:
        if happened is Happened.BACK:
            playing.wait(1 + 3)
        playing.tell(happened, 1, 2)
    playing.tell(REPORTS[reported], 1)
    playing.wait(wait_s)
    assert playing.conductor.failure == Failure(generators=(2,), why="stuck", phase=phase)
    assert playing.conductor.is_over


@pytest.mark.parametrize("phase", [None, Phase.RAMP, Phase.WARM_UP, Phase.STEADY])
@pytest.mark.parametrize("outage", [None, WITH_PAUSE])
def test_generator_when_it_ends_too_early_then_the_test_has_failed_at_once(
    phase: Phase | None, outage: OutageTimes | None
) -> None:
    playing = stage(generators=(1, 2), outage=outage)
    if phase is not None:
        playing.tell(Happened.READY, 1, 2)
    if phase in (Phase.WARM_UP, Phase.STEADY):
        playing.tell(Happened.OPEN, 1, 2)
    playing.wait(1 if phase is Phase.STEADY else 0)
    assert playing.conductor.phase is phase
    playing.tell(Happened.ENDED, 2)
    assert playing.conductor.failure == Failure(generators=(2,), why="ended", phase=phase)
    assert playing.conductor.is_over and playing.conductor.due_s is None


def test_mortal_generator_when_it_ends_before_its_time_then_the_test_has_failed() -> None:
    playing = to_steady(stage(generators=(1, 2), outage=WITH_KILL), 1, 2)
    playing.wait(0.4)
    playing.tell(Happened.ENDED, 2)
    assert playing.conductor.failure == Failure(generators=(2,), why="ended", phase=Phase.STEADY)


def test_mortal_generator_when_it_is_killed_then_the_other_goes_on_alone() -> None:
    playing = to_steady(stage(generators=(1, 2), outage=WITH_KILL), 1, 2)
    playing.wait(0.5)
    assert playing.orders[-1] == "begin outage"
    playing.tell(Happened.ENDED, 2)
    playing.wait(2.5)
    to_the_end(playing, 1)
    assert [order for order in playing.orders if order != "begin outage"] == list(IN_ORDER)
    assert playing.conductor.failure is None


def test_surviving_generator_when_it_ends_instead_of_the_other_then_the_test_has_failed() -> None:
    playing = to_steady(stage(generators=(1, 2), outage=WITH_KILL), 1, 2)
    playing.wait(0.5)
    playing.tell(Happened.ENDED, 1)
    assert playing.conductor.failure == Failure(generators=(1,), why="ended", phase=Phase.STEADY)


def test_outage_when_it_can_be_healed_then_it_is_begun_and_healed_within_the_steady_window() -> None:
    playing = to_the_end(to_steady(stage(outage=WITH_PAUSE), 1), 1)
    began_s = playing.at_s["begin STEADY"]
    assert (playing.at_s["begin outage"] - began_s, playing.at_s["heal outage"] - began_s) == (1, 2)
    assert playing.orders.index("heal outage") < playing.orders.index("stop dropping")


def test_outage_when_the_steady_window_ends_before_it_is_to_be_healed_then_it_is_healed_with_it() -> None:
    playing = to_the_end(to_steady(stage(outage=OutageTimes(begin_s=2, heal_s=5)), 1), 1)
    assert playing.orders.index("heal outage") == playing.orders.index("stop dropping") - 1


def test_outage_when_the_clock_is_looked_at_late_then_each_order_comes_once_and_in_order() -> None:
    playing = to_steady(stage(outage=WITH_PAUSE), 1)
    playing.now_s += 100
    playing.wait(0)
    assert playing.orders[-4:] == ["begin outage", "heal outage", "stop dropping", "begin RECOVER"]


def test_end_when_something_is_held_then_it_is_let_go_of_when_all_is_measured() -> None:
    playing = to_steady(stage(generators=(1, 2)), 1, 2)
    playing.wait(3)
    playing.tell(Happened.BACK, 1, 2)
    playing.tell(Happened.QUIET, 1, 2)
    playing.tell(Happened.CLOSED, 1, held=3)
    playing.tell(Happened.CLOSED, 2)
    assert playing.orders[-1] == "begin END"
    assert playing.conductor.is_measured and not playing.conductor.is_over
    assert [said(order) for order in playing.conductor.let_go()] == ["let go"]
    assert playing.conductor.is_over and playing.conductor.let_go() == []


@pytest.mark.parametrize(
    ("timing", "held", "hold_s"), [(TIMING, 1, 60), (TIMING, 0, 0), (dataclasses.replace(TIMING, hold_s=0), 1, 0)]
)
def test_end_when_it_begins_then_generators_are_told_how_long_they_hold_what_they_hold(
    timing: Timing, held: int, hold_s: float
) -> None:
    playing = to_steady(stage(timing), 1)
    playing.wait(3)
    playing.tell(Happened.BACK, 1)
    playing.tell(Happened.QUIET, 1)
    conductor = playing.conductor
    orders = conductor.told(Report(generator=1, happened=Happened.CLOSED, held=held), playing.now_s)
    assert orders[0] == Order(task=Task.BEGIN, phase=Phase.END, hold_s=hold_s)
    assert [said(order) for order in orders[1:]] == ([] if hold_s else ["let go"])
    assert conductor.is_over is not bool(hold_s)


def test_free_test_when_all_are_open_then_everyone_drops_and_nothing_more_is_due() -> None:
    playing = stage(FREE, generators=(1, 2, 3))
    playing.tell(Happened.READY, 1, 2, 3)
    playing.tell(Happened.OPEN, 3, 1)
    assert playing.orders == ["begin RAMP"]
    playing.tell(Happened.OPEN, 2)
    assert playing.orders == ["begin RAMP", "drop"]
    assert playing.conductor.due_s is None and not playing.conductor.is_over


def test_free_test_when_some_never_open_then_dropping_begins_at_the_ramps_end() -> None:
    playing = stage(FREE)
    playing.tell(Happened.READY, 1)
    playing.wait(30)
    assert playing.orders == ["begin RAMP", "drop"]


def test_free_test_when_a_generator_is_lost_then_the_others_do_not_wait_for_it() -> None:
    playing = stage(FREE, generators=(1, 2))
    playing.tell(Happened.READY, 1, 2)
    playing.tell(Happened.OPEN, 1)
    playing.tell(Happened.ENDED, 2)
    assert playing.orders == ["begin RAMP", "drop"]
    assert playing.conductor.failure is None
    playing.tell(Happened.ENDED, 1)
    assert playing.conductor.is_over


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([*REPORTS, Happened.ENDED]), st.integers(0, 3), st.integers(0, 2)),
        st.floats(0, 40, allow_nan=False),
    ),
    max_size=60,
)


@given(steps, st.sampled_from([TIMING, FREE]), st.sampled_from([None, WITH_PAUSE, WITH_KILL]))
def test_conductor_when_anything_happens_in_any_order_then_its_orders_make_sense(
    steps: list[tuple[Happened, int, int] | float], timing: Timing, outage: OutageTimes | None
) -> None:
    playing = stage(timing, generators=(1, 2), outage=outage)
    for step in steps:
        if isinstance(step, tuple):
            happened, generator, held = step
            was_over = playing.conductor.is_over
            before = list(playing.orders)
            playing.tell(happened, generator, held=held)
            assert not was_over or playing.orders == before, "nothing comes after the end"
        else:
            playing.wait(step)
        due_s = playing.conductor.due_s
        assert due_s is None or due_s > playing.now_s, "what is due is done"
    assert len(playing.orders) == len(set(playing.orders)), "each order comes once"
    phases = [order for order in playing.orders if order.startswith("begin ") and order != "begin outage"]
    wanted = [order for order in IN_ORDER if order.startswith("begin ")]
    assert [phase.split()[1] for phase in phases] == [phase.split()[1] for phase in wanted[: len(phases)]]
    if "stop dropping" in playing.orders and outage is WITH_PAUSE:
        assert "heal outage" in playing.orders, "what follows is measured without the outage"
    if "heal outage" in playing.orders:
        assert playing.orders.index("begin outage") < playing.orders.index("heal outage")


@given(st.sampled_from([TIMING, FREE]), st.sampled_from([None, WITH_PAUSE, WITH_KILL]))
def test_conductor_when_nobody_reports_then_it_ends_by_itself(timing: Timing, outage: OutageTimes | None) -> None:
    playing = stage(timing, outage=outage)
    playing.wait(1000)
    assert playing.conductor.is_over and playing.conductor.failure is not None


@pytest.mark.parametrize(
    "message",
    [
        Report(generator=3, happened=Happened.CLOSED, held=7),
        Order(task=Task.BEGIN, phase=Phase.CLOSE, value=1),
        Order(task=Task.DIE, name="sigkill", value=9),
        Order(task=Task.BEGIN, phase=Phase.END, hold_s=60.5),
    ],
)
def test_message_when_written_then_it_is_one_line_that_is_read_as_the_same(message: Report | Order) -> None:
    line = write(message)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert (read_report(line) if isinstance(message, Report) else read_order(line)) == message


@pytest.mark.parametrize(
    "changed",
    [
        {"value": "9"}, {"value": True}, {"name": 1}, {"phase": "END"}, {"phase": [4]}, {"phase": None}, {"task": {}},
        {"hold_s": "60"}, {"hold_s": True}, {"hold_s": float("nan")}, {"hold_s": -1.0}, {"more": 1},
    ],
)  # fmt: skip
def test_order_when_a_field_is_of_a_wrong_type_then_it_is_refused(changed: dict[str, object]) -> None:
    order = json.loads(write(Order(task=Task.BEGIN, phase=Phase.CLOSE, value=1)))
    with pytest.raises(LineError, match=r"^what is no order to a generator: "):
        read_order(json.dumps(order | changed).encode())


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"task": "fly"}', b'{"happened": "nothing"}', b'{"typo": 1}'])
def test_line_when_it_is_no_message_then_it_is_quoted(line: bytes) -> None:
    for read in (read_report, read_order):
        with pytest.raises(LineError) as refused:
            read(line)
        assert repr(line) in str(refused.value)


def test_finish_when_the_part_that_counts_is_under_way_then_the_rest_comes_in_order_and_nothing_twice() -> None:
    playing = to_steady(stage(), 1)
    playing.wait(1)
    playing._given(playing.conductor.finish(playing.now_s))
    assert playing.conductor.finish(playing.now_s) == []
    for happened in REPORTS[2:]:
        playing.tell(happened, 1)
    assert tuple(playing.orders) == IN_ORDER
    assert playing.at_s["begin RECOVER"] - playing.at_s["begin STEADY"] == 1


def test_finish_when_nothing_counts_yet_then_nothing_happens() -> None:
    playing = stage()
    playing.tell(Happened.READY, 1)
    assert playing.conductor.finish(playing.now_s) == []
    assert playing.conductor.phase is Phase.RAMP
