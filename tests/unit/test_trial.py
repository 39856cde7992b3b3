"""A trial's end: what cannot be read is said of that trial, and the others go on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from loadtest.bench.generator import LEDGER
from loadtest.bench.trial import TrialFailed, _ledgers, _what_failed
from loadtest.ledger import Phase
from loadtest.ledger.reader import SCHEMA, read_ledger
from loadtest.phases import Failure
from loadtest.targets import CollectedLedger


def test_trial_when_a_ledger_is_damaged_then_it_fails_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / LEDGER).mkdir()
    damaged = tmp_path / LEDGER / "client-7-1.ledger"
    damaged.write_bytes(b"not a ledger" * 10)
    target: Any = SimpleNamespace(collect_ledger=lambda: CollectedLedger(records=read_ledger(tmp_path, "server")))
    with pytest.raises(TrialFailed, match=rf"a ledger cannot be read: {damaged} is not a ledger of version"):
        _ledgers(target, tmp_path)
    assert damaged.exists(), "what was recorded stays, to be looked at"


def test_trial_when_the_targets_clock_is_ahead_then_its_records_are_put_on_ours() -> None:
    with_one = pl.DataFrame([{**dict.fromkeys(SCHEMA), "time_ns": 1_000}], schema=SCHEMA)
    ahead = CollectedLedger(records=with_one, clock_offset_ns=300, clock_bound_ns=10)
    assert ahead.in_our_time["time_ns"].to_list() == [700]
    assert ahead.in_our_time.schema == with_one.schema


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
