"""Batched statistics equal Locust's own, to the last figure."""

from __future__ import annotations

import json
import random
import subprocess
import sys

HISTORY_IN_A_PROCESS_OF_ITS_OWN = """
import json, random, sys
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry
import locust.stats
import loadtest.users.statistics as ours

class Clock:
    now = 1_700_000_000.25
    def time(self):
        return self.now
    def monotonic_ns(self):
        return round((self.now - 1_700_000_000) * 1e9)

clock = Clock()
locust.stats.time = clock  # Locust and ours read the same clock
ours._time = clock.time
ours._monotonic_ns = clock.monotonic_ns
seed, steps, reset_at = (int(argument) for argument in sys.argv[1:])
choice = random.Random(seed)
single, batched = Environment(), Environment()
batch = ours.BatchedStatistics(batched)

def figures(stats):
    entries = [stats.total, *(stats.entries[key] for key in sorted(stats.entries))]
    return [
        {
            "row": [entry.method, entry.name], "requests": entry.num_requests, "none": entry.num_none_requests,
            "failures": entry.num_failures, "sum": round(entry.total_response_time, 6),
            "min": entry.min_response_time, "max": entry.max_response_time, "length": entry.total_content_length,
            "buckets": sorted(entry.response_times.items()), "per_s": sorted(entry.num_reqs_per_sec.items()),
            "failed_per_s": sorted(entry.num_fail_per_sec.items()), "last": round(entry.last_request_timestamp or 0, 5),
            "start": entry.start_time, "rps": entry.current_rps, "total_rps": entry.total_rps,
            "median": entry.median_response_time,
            "percentiles": [entry.get_response_time_percentile(p / 1000) for p in range(0, 1001, 25)],
            "current": [entry.get_current_response_time_percentile(p / 100) for p in (50, 95, 99)],
            "cache": [[t, sorted(c.response_times.items()), c.num_requests, c.num_none_requests]
                      for t, c in entry.response_times_cache.items()],
        }
        for entry in entries
    ] + [sorted((error.name, str(error.error), error.occurrences) for error in stats.errors.values())]

for step in range(steps):
    clock.now += choice.choice([0, 0, 0.0001, 0.003, 0.02, 0.4, 0.99 if step % 50 == 0 else 0.001])
    name = choice.choice(["echo", "echo", "delivered", "open"])
    if choice.random() < 0.02:
        error = choice.choice(["refused 403", "closed 1011"])
        single.stats.log_request("WS", name, None, 0)
        single.stats.log_error("WS", name, error)
        batch.fail(name, error)
    else:
        ms = choice.choice([0.5, 1.5, 99.4999, 99.5, 105.0, 115.0, 149.99999, choice.expovariate(0.01)])
        single.stats.log_request("WS", name, ms, 64)
        batch.log(name, ms, 64, clock.monotonic_ns())
    if choice.random() < 0.05:
        batch.flush()
    if step == reset_at:
        batch.flush()
        single.stats.reset_all()
        batched.stats.reset_all()
batch.close()
print(json.dumps([figures(single.stats), figures(batched.stats)]))
"""


def both_figures(seed: int, steps: int, reset_at: int = -1) -> tuple[list[object], list[object]]:
    """Log the same history in both ways; Locust is imported elsewhere, for it patches the process."""
    done = subprocess.run(
        [sys.executable, "-c", HISTORY_IN_A_PROCESS_OF_ITS_OWN, str(seed), str(steps), str(reset_at)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    single, batched = json.loads(done.stdout)
    return single, batched


def test_batched_statistics_when_given_the_same_history_equal_locusts_own() -> None:
    for seed in random.Random(1).sample(range(1000), 3):
        single, batched = both_figures(seed, 6000)
        assert len(single) == 5, "total, three rows, the errors"
        assert batched == single


def test_batched_statistics_when_locust_resets_its_own_go_on_alike() -> None:
    single, batched = both_figures(seed=7, steps=3000, reset_at=1500)
    assert batched == single
