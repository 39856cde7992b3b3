"""A worker of Locust's: the conductor is in the master, and Locust's messages carry orders and reports."""

from typing import Any, Final

from loadtest.phases import Happened, read_order, write
from loadtest.users.links import Seat, report
from loadtest.users.player import Player
from loadtest.users.seating import Seating
from loadtest.users.session import Session

REPORT: Final = "loadtest report"
ORDER: Final = "loadtest order"
"""The types of Locust's messages that carry one line each."""


class WorkerLink:
    """The way to the master."""

    def __init__(self, environment: Any) -> None:
        """Listen to the master's orders."""
        self._environment = environment
        self._player: Player | None = None
        environment.runner.register_message(ORDER, self._ordered)

    def seat(self) -> Seat:
        """Return the place that the master has given to this worker."""
        return Seating.among(self._environment.parsed_options).seat_of(self._environment.runner.client_id)

    def begin(self, session: Session) -> None:
        """Play the session's part as the master orders."""
        seat = self.seat()

        def tell(happened: Happened, held: int = 0) -> None:
            line = write(report(seat, happened, held)).decode()
            self._environment.runner.send_message(REPORT, line)

        self._player = Player(session, tell, end=lambda: None)  # the master ends the test
        session.at_end(self._leave)
        tell(Happened.READY)

    def _ordered(self, *, msg: Any, **_: Any) -> None:
        if self._player is not None:
            self._player.obey(read_order(msg.data.encode()))

    def _leave(self) -> None:
        self._player = None
