"""One process of Locust without a bench: the conductor is in it."""

from collections.abc import Iterable

from loadtest.phases import Conductor, Happened, Order
from loadtest.users.clock import Clock
from loadtest.users.links import Seat, quitting, report, timing_of
from loadtest.users.player import Player
from loadtest.users.session import Session


class AloneLink:
    """One process of Locust, without a bench: the conductor is here."""

    def seat(self) -> None:
        """Leave it to the job: a person may run one generator's job by itself."""

    def begin(self, session: Session) -> None:
        """Conduct the session."""
        seat = Seat()
        player = Player(session, lambda happened, held: clock.told(report(seat, happened, held)), quitting(session))

        def give(orders: Iterable[Order]) -> None:
            for order in orders:
                player.obey(order)

        conductor = Conductor(timing_of(session.environment, session.load), {seat.generator})
        clock = Clock(conductor, give, session.environment)
        session.at_end(clock.stop)
        clock.told(report(seat, Happened.READY))
