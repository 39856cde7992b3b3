"""Truth: what happened in a trial, read from the client's ledger record by record, without the audit's code."""

from collections import Counter
from dataclasses import dataclass

import polars as pl

from loadtest.ledger.record import Event, Phase

_SEQUENCE_BITS = 32
_SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that a member sent; `counts`: within the part of the trial that counts."""

    sender: int
    sequence: int
    room: str
    sent_ns: int
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the generator did."""

    opened: dict[int, str]
    """The room of each connection that was opened."""
    dropped: dict[int, str]
    """The kind of drop of each connection that was dropped."""
    dropped_ns: dict[int, int]
    """When that was."""
    sent: tuple[SentMessage, ...]
    received: Counter[int]
    """How many messages that count arrived on each connection."""

    def members(self, room: str) -> int:
        """Return how many connections were opened in a room."""
        return sum(name == room for name in self.opened.values())

    def is_spoken_to(self, connection: int, *, after_ns: int) -> bool:
        """Tell whether somebody spoke in a dropped connection's room, and that at least so long after its drop."""
        since_ns = self.dropped_ns[connection] + after_ns
        room = self.opened[connection]
        return any(message.room == room and message.sent_ns > since_ns for message in self.sent)


def read_truth(client: pl.DataFrame) -> Truth:
    """Read the client's ledger of a trial that got through its phases."""
    rooms: dict[int, str] = {}
    opened: dict[int, str] = {}
    dropped: dict[int, str] = {}
    dropped_ns: dict[int, int] = {}
    sent: dict[int, SentMessage] = {}
    received: list[tuple[int, int]] = []
    phase = Phase.RAMP
    for event, time_ns, connection, value, code, text in client.select(
        "event", "time_ns", "connection", "value", "code", "text"
    ).iter_rows():
        match event:
            case Event.PHASE:
                phase = Phase(code)
            case Event.OPENING:
                rooms[connection] = text
            case Event.OPENED:
                opened[connection] = rooms[connection]
            case Event.DROPPED:
                dropped[connection] = text
                dropped_ns[connection] = time_ns
            case Event.SENT:
                sent[value] = SentMessage(
                    sender=connection,
                    sequence=value & _SEQUENCE_MASK,
                    room=rooms[connection],
                    sent_ns=time_ns,
                    counts=phase in (Phase.STEADY, Phase.RECOVER),
                )
            case Event.RECEIVED:
                received.append((connection, value))
    counted = Counter(connection for connection, value in received if value in sent and sent[value].counts)
    return Truth(opened=opened, dropped=dropped, dropped_ns=dropped_ns, sent=tuple(sent.values()), received=counted)
