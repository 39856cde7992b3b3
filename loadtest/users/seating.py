"""Seating: which of Locust's workers is which generator; the master decides, and Locust tells the workers."""

from dataclasses import dataclass
from typing import Any, Final, Self

from loadtest.load.fields import MOST_GENERATORS
from loadtest.users.links import Seat
from loadtest.users.options import OptionsError

SEATING: Final = "loadtest_seating"
"""Where it stands among the parsed options; those that are not its own Locust sends with a test's start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """Which worker is which generator, by the ids that Locust gives them."""

    numbers: dict[str, int]
    users: int

    @classmethod
    def of(cls, runner: Any) -> Self:
        """Number the workers that are there now from 1, in the order in which they joined."""
        there = runner.clients.ready + runner.clients.running + runner.clients.spawning
        joined = sorted(there, key=lambda worker: runner.get_worker_index(worker.id))
        if len(joined) > MOST_GENERATORS:
            raise OptionsError(f"there are {len(joined)} workers; use {MOST_GENERATORS} at most")
        numbers = {worker.id: number for number, worker in enumerate(joined, 1)}
        return cls(numbers=numbers, users=runner.target_user_count)

    @classmethod
    def among(cls, options: Any) -> Self:
        """Return what the master has put among the parsed options."""
        return cls(**getattr(options, SEATING, {"numbers": {}, "users": 0}))

    def put_among(self, options: Any) -> None:
        """Have Locust send it to the workers, before their test starts."""
        setattr(options, SEATING, {"numbers": self.numbers, "users": self.users})

    def seat_of(self, worker: str) -> Seat:
        """Return a worker's place; raises OptionsError when it has none."""
        number = self.numbers.get(worker)
        if number is None:
            raise OptionsError("this worker joined after the test had begun; stop the test and start it again")
        return Seat(generator=number, generators=len(self.numbers), users=self.users)
