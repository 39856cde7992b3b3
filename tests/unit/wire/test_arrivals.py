"""Arrival times from the kernel's stamps."""

from __future__ import annotations

import socket
import time

import pytest

from loadtest.wire import arrivals

SECOND_NS = 10**9


def ancillary(stamp_ns: int) -> list[tuple[int, int, bytes]]:
    stamp = arrivals.STAMP.pack(*divmod(stamp_ns, SECOND_NS))
    return [(socket.SOL_SOCKET, arrivals.SO_TIMESTAMPNS, stamp)]


@pytest.fixture
def wall_ns(monkeypatch: pytest.MonkeyPatch) -> int:
    now_ns = time.time_ns()
    monkeypatch.setattr(arrivals, "_wall_ns", lambda: now_ns)
    return now_ns


@pytest.mark.parametrize("age_ns", [0, 1, 1500, 3 * SECOND_NS])
def test_lag_when_the_kernel_stamped_is_the_stamps_age(wall_ns: int, age_ns: int) -> None:
    assert arrivals.lag_ns(ancillary(wall_ns - age_ns)) == age_ns


@pytest.mark.parametrize("age_ns", [-1, -SECOND_NS, arrivals.MAX_AGE_NS])
def test_lag_when_the_wall_clock_was_set_meanwhile_is_unknown(wall_ns: int, age_ns: int) -> None:
    assert arrivals.lag_ns(ancillary(wall_ns - age_ns)) == -1


def test_lag_when_the_kernel_did_not_stamp_is_unknown() -> None:
    assert arrivals.lag_ns([]) == -1
    assert arrivals.lag_ns([(socket.SOL_SOCKET, 1, b"else")]) == -1
