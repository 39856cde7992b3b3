"""Links: what connects the users of this process with the conductor of their test, wherever that is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from loadtest.phases import Happened, Report
from loadtest.users.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """This process's place among the generators of a test, and how many users all of them have (0: not known)."""

    generator: int = 1
    generators: int = 1
    users: int = 0


class Link(Protocol):
    """What connects the users of this process with a conductor."""

    def seat(self) -> Seat | None:
        """Return this process's place in the test that begins, or None where its job says that.

        Raises OptionsError when it has none.
        """

    def begin(self, session: Session) -> None:
        """Have the session's part played from now on, until the session is closed."""


def report(seat: Seat, happened: Happened, held: int = 0) -> Report:
    """Return the report of the process that has this seat."""
    return Report(generator=seat.generator, happened=happened, held=held)


def quitting(session: Session) -> Callable[[], None]:
    """Return what ends the session's test, and Locust with it."""

    def end() -> None:
        session.environment.runner.quit()

    return end
