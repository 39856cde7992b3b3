"""Throughput, validity and the use of the machine: figures that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from loadtest.checks.kind import CheckResult
from loadtest.checks.records import NO_SAMPLES
from loadtest.checks.throughput.audit import check
from loadtest.checks.usage import cpu_steps_s
from loadtest.checks.validity.generator import GENERATOR_LAG_LIMIT_MS
from tests.unit.checks.histories import (
    NS_A_MS,
    RECOVER,
    STEADY,
    A,
    B,
    Line,
    client,
    joined,
    phases,
    reasons,
    received,
    records,
    samples,
    send_failed,
    sent,
    server,
    truncated,
)

WINDOW_S = (RECOVER - STEADY) / 1000


def found(*lines: Line | list[Line], **others: Any) -> CheckResult:
    return check(records(client(phases(), joined(100, A), *lines), **others))


def row(*lines: Line | list[Line], **others: Any) -> dict[str, Any]:
    return found(*lines, **others).rows.row(0, named=True)


def echo(at: float, number: int, took: float, *, late_us: int = 0) -> list[Line]:
    return [sent(at, A, number, late_us=late_us), received(at + took, A, A, number)]


def test_throughput_when_messages_flow_then_those_of_the_window_are_counted() -> None:
    outside = [*echo(STEADY - 10, 1, 1), *echo(RECOVER + 10, 2, 1)]
    figures = row(outside, *(echo(2000 + number, number, 4) for number in range(3, 13)))
    assert (figures["sent"], figures["received"], figures["duration_s"]) == (10, 10, WINDOW_S)
    assert figures["messages_per_s"] == 10 / WINDOW_S
    assert {figures[f"latency_ms_{name}"] for name in ("p50", "p90", "p99", "p999", "max")} == {4.0}
    assert figures["valid"] == "yes"


def test_throughput_when_nobody_sampled_then_cpu_is_unknown_with_the_reason_and_the_trial_is_valid() -> None:
    finding = found(*echo(2000, 1, 4), samples=NO_SAMPLES, unsampled="nobody was there")
    figures = finding.rows.row(0, named=True)
    assert (finding.invalid, figures["valid"], figures["received"]) == ((), "yes", 1)
    sampled = ("server_cpu_s", "server_rss_mb", "generator_cpu_s", "broker_cpu_s", "steal", "contention")
    assert {name: figures[name] for name in sampled} == dict.fromkeys(sampled)
    assert {reasons(finding)[name] for name in sampled} == {"nobody was there"}


def test_throughput_when_latencies_differ_then_the_percentiles_are_those_of_the_raw_samples() -> None:
    figures = row(*(echo(2000 + 20 * number, number, number) for number in range(1, 101)))
    assert (figures["latency_ms_p50"], figures["latency_ms_p90"], figures["latency_ms_p99"]) == (51, 90, 99)
    assert (figures["latency_ms_p999"], figures["latency_ms_max"]) == (100, 100)


def test_throughput_when_sent_late_then_latency_counts_from_the_planned_time() -> None:
    assert row(echo(2000, 1, 4, late_us=250_000))["latency_ms_max"] == 254


def test_throughput_when_a_stall_delays_messages_past_the_window_then_their_latency_still_counts() -> None:
    figures = row(echo(RECOVER - 1, 1, 900))
    assert (figures["received"], figures["latency_ms_max"]) == (0, 900)


def test_throughput_when_planned_before_the_window_then_its_latency_does_not_count() -> None:
    assert row(echo(STEADY + 5, 1, 1, late_us=10_000))["latency_ms_max"] is None


def test_throughput_when_many_receive_one_message_then_each_arrival_has_a_latency() -> None:
    figures = row(joined(100, B, member=1), sent(2000, A, 1), received(2001, A, A, 1), received(2007, B, A, 1))
    assert (figures["sent"], figures["received"], figures["latency_ms_max"]) == (1, 2, 7)


def test_throughput_when_a_sending_failed_then_it_was_not_sent() -> None:
    assert row(sent(2000, A, 1), send_failed(2000, A, 1))["sent"] == 0


def test_throughput_when_nothing_arrived_then_latency_is_not_known_and_not_zero() -> None:
    figures = row()
    assert (figures["sent"], figures["received"], figures["messages_per_s"]) == (0, 0, 0.0)
    assert figures["latency_ms_p50"] is None and figures["latency_ms_max"] is None


def test_throughput_when_sampled_then_cpu_and_memory_are_those_of_the_window() -> None:
    figures = row(samples=samples(server_cpu=0.5, generator_cpu=0.25))
    assert figures["server_cpu_s"] == pytest.approx(0.5 * WINDOW_S)
    assert figures["generator_cpu_s"] == pytest.approx(0.25 * WINDOW_S)
    assert figures["server_rss_mb"] == (50_000_000 + RECOVER) / 1e6


def test_throughput_when_samples_stop_before_the_window_ends_then_the_use_is_not_known_and_the_trial_not_valid() -> (
    None
):
    finding = found(samples=samples(until_ms=RECOVER - 100))
    figures = finding.rows.row(0, named=True)
    assert (figures["server_cpu_s"], figures["generator_cpu_s"], figures["valid"]) == (None, None, "no")
    assert finding.invalid == ("the generator's CPU time is not known",)


def test_throughput_when_nothing_was_sampled_then_nothing_of_the_machine_is_known() -> None:
    figures = row(samples=samples().clear())
    assert (figures["server_cpu_s"], figures["server_rss_mb"], figures["valid"]) == (None, None, "no")


def test_throughput_when_the_generator_was_busy_then_the_trial_is_not_valid() -> None:
    finding = found(samples=samples(generator_cpu=0.9))
    assert finding.rows["valid"].to_list() == ["no"]
    assert "the generator was busy 90%" in finding.invalid[0]


def arrivals(*, handled_late: int, lag_us: int, at: float = 2000) -> list[Line]:
    """A thousand messages, of which so many were handled so late."""
    return [received(at + number, A, A, number, lag_us=lag_us * (number < handled_late)) for number in range(1000)]


def test_throughput_when_one_message_in_a_hundred_was_handled_late_then_the_trial_is_not_valid() -> None:
    finding = found(arrivals(handled_late=15, lag_us=250_400))
    assert finding.rows["valid"].to_list() == ["no"]
    assert "one message in a hundred 250 ms or more after it had arrived (limit 100 ms)" in finding.invalid[0]


@pytest.mark.parametrize(
    ("handled_late", "lag_us"), [(5, 250_000), (1000, GENERATOR_LAG_LIMIT_MS * 1000)], ids=["few", "just in time"]
)
def test_throughput_when_few_were_handled_late_or_all_just_in_time_then_the_trial_is_valid(
    handled_late: int, lag_us: int
) -> None:
    assert found(arrivals(handled_late=handled_late, lag_us=lag_us)).invalid == ()


def test_throughput_when_all_were_handled_a_little_too_late_then_the_trial_is_not_valid() -> None:
    assert found(arrivals(handled_late=1000, lag_us=GENERATOR_LAG_LIMIT_MS * 1000 + 1)).invalid != ()


def test_throughput_when_messages_outside_of_the_window_were_handled_late_then_the_trial_is_valid() -> None:
    late = [received(at, A, A, at, lag_us=900_000) for at in (STEADY - 1, RECOVER + 1)]
    assert found(late).invalid == ()


def test_throughput_when_not_all_users_had_a_connection_then_the_trial_is_not_valid() -> None:
    too_late = joined(STEADY + 1, B, member=1)
    assert "only 1 of 2 users" in found(too_late, users=2).invalid[0]
    assert found(joined(STEADY, B, member=1), users=2).invalid == ()


def test_throughput_when_one_user_opened_twice_then_it_is_one_user() -> None:
    assert "only 1 of 2 users" in found(joined(200, B, member=0), users=2).invalid[0]


def test_throughput_when_a_ledger_was_cut_then_the_trial_is_not_valid() -> None:
    finding = check(records(client(phases(), joined(100, A)), server(truncated(2000))))
    assert finding.rows["valid"].to_list() == ["no"]
    assert "could not grow" in finding.invalid[0]


def test_throughput_when_the_trial_ended_early_then_it_raises() -> None:
    with pytest.raises(ValueError, match="phases"):
        check(records(client(joined(100, A))))


def test_cpu_steps_when_moments_fall_between_samples_then_lines_are_drawn_between_them() -> None:
    used = pl.DataFrame(
        {"time_ns": [0, 100 * NS_A_MS, 200 * NS_A_MS], "role": ["server"] * 3, "cpu_s": [1.0, 1.1, 1.5]}
    )
    steps = cpu_steps_s(records(samples=used), "server", [at * NS_A_MS for at in (50, 100, 150, 200, 250)])
    assert steps == [pytest.approx(0.05), pytest.approx(0.2), pytest.approx(0.2), None]


def test_cpu_steps_when_the_machine_has_been_up_for_years_then_they_are_still_exact() -> None:
    start = 10 * 365 * 86400 * 10**9
    used = pl.DataFrame({"time_ns": [start, start + 10**9], "role": ["server"] * 2, "cpu_s": [0.0, 1.0]})
    assert cpu_steps_s(records(samples=used), "server", [start, start + 1000]) == [pytest.approx(1e-6)]


def test_throughput_when_a_broker_was_sampled_then_its_cpu_is_that_of_the_window() -> None:
    assert row(samples=samples(broker=0.25))["broker_cpu_s"] == pytest.approx(0.25 * WINDOW_S)
    assert row(samples=samples())["broker_cpu_s"] is None
