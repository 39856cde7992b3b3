"""Priming: one connection goes through the whole app, and the server has forgotten it, or never will."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.control import ask_status
from loadtest.targets.database import Database
from loadtest.targets.prime import ANSWER_S, prime
from loadtest.targets.reference import RunningReference as Target
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live


@pytest.fixture
def target(tmp_path: Path, database: Database, ledger: Path) -> Iterator[Target]:
    with reference_app(
        database=database,
        folder=tmp_path,
        ledger=ledger,  # without one there is no probe to ask
    ) as target:
        yield target


def still_open(target: Target) -> int:
    return sum(status.open for status in ask_status(target.control).answered)


def test_prime_when_the_consumer_ends_then_the_server_has_forgotten_it(target: Target) -> None:
    prime(f"{target.url}/ws/async/room/prime/", target.control)
    assert still_open(target) == 0


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_prime_when_the_consumer_never_ends_then_it_is_not_waited_for_to_the_end(target: Target, kind: str) -> None:
    began_s = time.monotonic()
    prime(f"{target.url}/ws/never-stops-{kind}/room/other/", target.control)  # in the room "prime" it would end
    assert time.monotonic() - began_s < ANSWER_S
    assert still_open(target) == 1


def test_prime_when_nothing_comes_back_then_it_says_where_to_look(target: Target) -> None:
    with pytest.raises(EnvironmentFailed, match="see the server's log"):
        prime(f"{target.url}/ws/no-such-consumer/room/prime/", target.control)
