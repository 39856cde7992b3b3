"""The gates of the machine, on recorded samples: contention, steal, throttling, clocks, and limits that ran out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from loadtest.checks.contention import contention, foreign_cpu, steal
from loadtest.checks.records import NS_A_MS, TrialRecords
from loadtest.checks.validity import GATES, invalid_because
from loadtest.checks.validity.limits import RAN_OUT
from loadtest.checks.validity.machine import WITHHELD_LIMIT
from loadtest.wire import OutOfDescriptors, OutOfPorts
from tests.unit.checks.histories import (
    END,
    RECOVER,
    STEADY,
    A,
    B,
    client,
    joined,
    open_failed,
    phases,
    records,
    samples,
)

TIMES_MS = range(0, END + 1, 100)
LOAD = "bench,broker,generator"


def machine(
    *, foreign: float = 0.0, waiting: float = 0.0, steal: float = 0.0, throttled: float = 0.0, pinned: bool = True
) -> TrialRecords:
    """Return a trial with, a second: foreign CPU and steal beside the server, its threads' waiting, and throttling."""
    ours = samples(server_cpu=0.5, generator_cpu=0.2)
    waited = pl.when(pl.col("role") == "server").then(waiting * pl.col("time_ns") / 1e9).otherwise(0.0)
    beside = {"server": 0.5 + foreign, LOAD: 0.2} if pinned else {f"{LOAD},server": 0.7 + foreign}
    cpus = [
        (at * NS_A_MS, roles, 100 + busy * at / 1000, steal * at / 1000 * ("server" in roles))
        for at in TIMES_MS
        for roles, busy in beside.items()
    ]
    host = [(at * NS_A_MS, throttled * at / 1000, 10**18, 0) for at in TIMES_MS]
    return records(
        client(phases(), joined(100, A)),
        samples=ours.with_columns(wait_s=waited),
        cpus=pl.DataFrame(cpus, schema=["time_ns", "roles", "busy_s", "steal_s"], orient="row"),
        host=pl.DataFrame(host, schema=["time_ns", "throttled_s", "wall_ns", "boot_ns"], orient="row"),
    )


def reasons(trial: TrialRecords) -> list[str]:
    assert trial.window is not None
    return invalid_because(trial, trial.window)


@pytest.mark.parametrize("pinned", [True, False])
def test_contention_when_the_server_waited_while_others_used_its_cpus_then_it_is_the_smaller_of_both(
    pinned: bool,
) -> None:
    for foreign, waiting in ((0.3, 0.2), (0.2, 0.3)):
        trial = machine(foreign=foreign, waiting=waiting, pinned=pinned)
        assert trial.window is not None
        assert contention(trial, trial.window) == pytest.approx(0.2)
        assert foreign_cpu(trial, trial.window) == pytest.approx(foreign)
        assert "up to 20% of the time ours waited" in reasons(trial)[0]


@pytest.mark.parametrize(("foreign", "waiting"), [(0.0, 0.9), (0.9, 0.0), (WITHHELD_LIMIT - 0.01, 0.9)])
def test_contention_when_nobody_else_ran_or_nobody_waited_then_the_trial_is_valid(
    foreign: float, waiting: float
) -> None:
    assert reasons(machine(foreign=foreign, waiting=waiting)) == []


def test_contention_when_only_the_cpus_of_the_load_were_used_then_the_servers_own_waiting_is_its_own() -> None:
    trial = machine(waiting=0.9)
    assert trial.cpus is not None
    beside_load = trial.cpus.with_columns(
        busy_s=pl.when(pl.col("roles") == LOAD).then(pl.col("busy_s") + pl.col("time_ns") / 2e9).otherwise("busy_s")
    )
    assert reasons(records(trial.client, samples=trial.samples, cpus=beside_load)) == []


def test_steal_when_other_virtual_machines_had_much_then_the_trial_is_not_valid() -> None:
    trial = machine(steal=0.1)
    assert trial.window is not None
    assert steal(trial, trial.window) == pytest.approx(0.1)
    assert "other virtual machines had 10% of a core" in reasons(trial)[0]
    assert reasons(machine(steal=WITHHELD_LIMIT - 0.01)) == []


def test_throttling_when_a_quota_held_us_back_then_the_trial_is_not_valid() -> None:
    assert "a CPU quota held us back" in reasons(machine(throttled=0.2))[0]
    assert reasons(machine(throttled=WITHHELD_LIMIT - 0.01)) == []


def test_machine_when_nothing_was_sampled_of_it_then_no_gate_closes() -> None:
    assert reasons(records(client(phases(), joined(100, A)))) == []


def test_contention_when_it_is_allowed_then_only_the_gates_about_others_are_open() -> None:
    of_others = {gate.name for gate in GATES if gate.is_contention}
    assert {"contention", "steal", "throttling"} <= of_others
    assert not {"wall clock", "sleep", "ports and files", "members", "ledgers"} & of_others
    disturbed = machine(foreign=0.5, waiting=0.5, steal=0.5, throttled=0.5)
    assert len(reasons(disturbed)) == 3
    allowed = records(
        disturbed.client, samples=disturbed.samples, cpus=disturbed.cpus, host=disturbed.host, allow_contention=True
    )
    assert reasons(allowed) == []


def test_gates_when_listed_then_the_method_tells_of_each() -> None:
    method = (Path(__file__).parents[3] / "docs/method.md").read_text(encoding="utf-8")
    for gate in GATES:
        assert f"\n| {gate.name} | " in method, f"docs/method.md does not tell of the gate {gate.name}"


def clocks(**moved_ms: int) -> TrialRecords:
    """Return a trial in the middle of which a clock moved."""
    half = (STEADY + RECOVER) / 2 * NS_A_MS
    host = machine().host
    assert host is not None
    moved = {name: pl.col(name) + pl.when(pl.col("time_ns") > half).then(by * NS_A_MS).otherwise(0)
             for name, by in moved_ms.items()}  # fmt: skip
    return records(client(phases(), joined(100, A)), host=host.with_columns(**moved))


def test_clock_when_it_was_set_while_messages_were_timed_then_the_trial_is_not_valid() -> None:
    assert "the wall clock was set by 500 ms" in reasons(clocks(wall_ns=-500))[0]
    assert reasons(clocks(wall_ns=3)) == []


def test_clock_when_the_machine_slept_then_the_trial_is_not_valid() -> None:
    assert "the machine slept for 2.0 s" in reasons(clocks(boot_ns=2000, wall_ns=2000))[-1]


def test_clock_when_it_was_set_before_the_window_then_the_trial_is_valid() -> None:
    host = clocks().host
    assert host is not None
    early = host.with_columns(wall_ns=pl.when(pl.col("time_ns") < STEADY * NS_A_MS).then(0).otherwise("wall_ns"))
    assert reasons(records(client(phases(), joined(100, A)), host=early)) == []


def test_limits_when_connections_found_no_port_or_file_then_the_reasons_are_those_of_the_wire() -> None:
    assert set(RAN_OUT) == {OutOfDescriptors.name, OutOfPorts.name}


@pytest.mark.parametrize(("reason", "told"), [(OutOfDescriptors.name, "ulimit -n"), (OutOfPorts.name, "local port")])
def test_limits_when_a_connection_could_not_be_opened_for_want_of_one_then_the_trial_is_not_valid(
    reason: str, told: str
) -> None:
    lines = open_failed(STEADY + 1, B, reason)
    assert told in reasons(records(client(phases(), joined(100, A), lines)))[0]
    refused = open_failed(STEADY + 1, B, "refused 403")
    assert reasons(records(client(phases(), joined(100, A), refused))) == []


@pytest.mark.parametrize(("left", "is_valid"), [(0, False), (50, True), (None, True)])
def test_limits_when_the_server_had_all_files_open_that_it_may_then_the_trial_is_not_valid(
    left: int | None, is_valid: bool
) -> None:
    told = samples().with_columns(fds_left=pl.when(pl.col("role") == "server").then(left).otherwise(500))
    assert (reasons(records(client(phases(), joined(100, A)), samples=told)) == []) is is_valid
