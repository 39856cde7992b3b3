"""Batched statistics: every message counts in Locust's tables, and costs a fraction of an event of Locust's own.

`make perf`, measure "echo": a round trip takes 8.7 µs of CPU with them, 15.6 µs with an event of Locust's own for each
message ("wire+events"), and 8.6 µs without any. Here a message costs one append; ten times a second the messages of a
row go into Locust's entry (and into "Aggregated") in one step. What a table, a percentile, a chart or a CSV shows
afterwards is what it would have shown: messages count in the second in which they came, and Locust's own function makes
the response time buckets.
Two things differ: a figure read between two flushes is up to FLUSH_S old, and listeners of `events.request` hear
nothing of these messages. With `--otel`, where one of these listens, each message is an event of Locust's own.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final

import locust.stats
from gevent import get_hub
from locust.exception import CatchResponseError

FLUSH_S: Final = 0.1
"""Shorter than anything that reads the figures: Locust's console, web UI and CSV do so once a second or less."""
METHOD: Final = "WS"
"""What stands in the tables' column Type."""

_time = time.time
_monotonic_ns = time.monotonic_ns
_NS = 1_000_000_000


def statistics_of(environment: Any) -> BatchedStatistics | EventStatistics:
    """Return what messages of a test are counted by; environment is Locust's."""
    options = environment.parsed_options
    return EventStatistics(environment) if getattr(options, "otel", False) else BatchedStatistics(environment)


class BatchedStatistics:
    """Writes into `environment.stats`: `log` what succeeded, `fail` what did not; close() at the test's end.

    Flushes itself on the hub from the first message on, and when the test stops. For one thread, the hub's.
    """

    def __init__(self, environment: Any, *, method: str = METHOD) -> None:
        """Begin with nothing logged; environment is Locust's."""
        self._stats = environment.stats
        self._method = method
        self._rows: dict[str, _Row] = {}
        self._flushed = 0
        self._second = 0
        """The one in progress (CLOCK_REALTIME, as Locust counts)."""
        self._second_ends_ns = 0
        """Messages before this time (CLOCK_MONOTONIC) are of it."""
        self._timer: Any = None
        self._stopped = environment.events.test_stop
        self._stopped.add_listener(self._on_test_stop)

    def log(self, name: str, response_time_ms: float, length: int, came_ns: int) -> None:
        """Count a success of the row `name` that came just now (CLOCK_MONOTONIC); length in bytes or characters."""
        if came_ns >= self._second_ends_ns:
            self._turn_second()
        try:
            row = self._rows[name]
        except KeyError:
            row = self._rows[name] = _Row()
            self._stats.get(name, self._method)  # Locust's entry begins with its first message, not with a flush
        row.times_ms.append(response_time_ms)
        row.length += length
        row.last_ns = came_ns

    @property
    def logged(self) -> int:
        """How many successes have been counted."""
        return self._flushed + sum(len(row.times_ms) for row in self._rows.values())

    def fail(self, name: str, error: Exception | str) -> None:
        """Count a request of the row `name` that failed and has no response time; written at once."""
        if _monotonic_ns() >= self._second_ends_ns:
            self._turn_second()
        self._stats.log_request(self._method, name, None, 0)
        self._stats.log_error(self._method, name, error)

    def flush(self) -> None:
        """Write what is held back into Locust's statistics."""
        for name, row in self._rows.items():
            if row.times_ms:
                before_end_s = (self._second_ends_ns - row.last_ns) / _NS
                batch = _Batch(row, self._second, last=self._second + 1 - before_end_s)
                batch.add_to(self._stats.total)
                batch.add_to(self._stats.entries[(name, self._method)])
                self._flushed += len(row.times_ms)
                row.times_ms = []
                row.length = 0

    def close(self) -> None:
        """Write what is held back, and stop the timer; logging again starts it anew."""
        self.flush()
        self._second_ends_ns = 0
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _turn_second(self) -> None:
        """Flush what belongs to an earlier second before anything of a new one is counted."""
        self.flush()
        now = _time()
        self._second = int(now)
        self._second_ends_ns = _monotonic_ns() + round((self._second + 1 - now) * _NS)
        if self._timer is None:
            self._timer = get_hub().loop.timer(FLUSH_S, FLUSH_S, ref=False)
            self._timer.start(self.flush)

    def _on_test_stop(self, **_: Any) -> None:
        self.close()


class EventStatistics:
    """The same by an event of Locust's own for each message, which its OpenTelemetry listens to (`--otel`)."""

    def __init__(self, environment: Any, *, method: str = METHOD) -> None:
        """Begin with nothing logged; environment is Locust's."""
        self._fire = environment.events.request.fire
        self._method = method
        self.logged = 0
        """How many successes have been counted."""

    def log(self, name: str, response_time_ms: float, length: int, came_ns: int) -> None:
        """Count a success of the row `name`, now; length in bytes or characters."""
        self.logged += 1
        self._tell(name, response_time_ms, length, None)

    def fail(self, name: str, error: Exception | str) -> None:
        """Count a request of the row `name` that failed and has no response time."""
        self._tell(name, None, 0, error if isinstance(error, Exception) else CatchResponseError(error))

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing."""

    def _tell(self, name: str, response_time_ms: float | None, length: int, error: Exception | None) -> None:
        self._fire(
            request_type=self._method,
            name=name,
            response_time=response_time_ms,
            response_length=length,
            exception=error,
            context={},
        )


class _Row:
    """What is held back of one row, all of one second."""

    __slots__ = ("last_ns", "length", "times_ms")

    def __init__(self) -> None:
        self.times_ms: list[float] = []
        self.length = 0
        self.last_ns = 0


class _Batch:
    """Messages of one row and second, summed up once and added to two of Locust's entries."""

    def __init__(self, row: _Row, second: int, *, last: float) -> None:
        self._times_ms = row.times_ms
        self._length = row.length
        self._second = second
        self._last = last
        self._least = min(row.times_ms)
        self._most = max(row.times_ms)
        self._buckets = _buckets(row.times_ms, self._most)

    def add_to(self, entry: Any) -> None:
        """Do what StatsEntry.log does, for the whole batch."""
        last = entry.last_request_timestamp
        if entry.use_response_times_cache and last and self._second > int(last):
            entry._cache_response_times(self._second - 1)
        count = len(self._times_ms)
        entry.num_requests += count
        entry.num_reqs_per_sec[self._second] += count
        entry.last_request_timestamp = max(last or 0.0, self._last)
        entry.total_response_time = sum(self._times_ms, entry.total_response_time)
        least = entry.min_response_time
        entry.min_response_time = self._least if least is None else min(least, self._least)
        entry.max_response_time = max(entry.max_response_time, self._most)
        for bucket, number in self._buckets.items():
            entry.response_times[bucket] += number
        entry.total_content_length += self._length


def _buckets(times_ms: list[float], most: float) -> Counter[int]:
    """Count response times by Locust's buckets, with whichever function is in force."""
    bucket = locust.stats.bucket_response_time
    if bucket is _LOCUSTS_OWN and most < 100:
        return Counter(map(round, times_ms))  # what it does below 100 ms, without its frame
    return Counter(map(bucket, times_ms))


_LOCUSTS_OWN: Final = locust.stats.bucket_response_time
