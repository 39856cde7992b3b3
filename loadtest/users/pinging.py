"""Pinging: each member sends something now and then that is no message, to stay connected (`--ping-message`)."""

from time import monotonic_ns
from typing import Any

from loadtest.users.pacing import Schedule, gaps_of
from loadtest.users.rounds import Rounds
from loadtest.users.session import Session


def pinging(session: Session) -> Rounds:
    """Return the rounds in which a session's members ping; each begins at a random moment of the first interval."""

    def schedule_of(member: Any) -> Schedule:
        chance = session.stream(f"pings of member {member.number}")
        return Schedule(gaps_of("constant", 1 / session.load.ping_every, chance), start_ns=monotonic_ns())

    return Rounds(session, schedule_of, lambda member, _due_ns: member.send_ping())
