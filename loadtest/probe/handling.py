"""Handling: what the consumer of a connection is doing, and what would become of a disconnect that came just now.

Channels' `await_many_dispatch` waits until the server or the channel layer has a message, and dispatches what there is,
the server's first. So a disconnect reaches a consumer that waits for both. It does not reach one that has begun to
handle a message and then sends: on a server where a send to a client that is gone raises, that ends the task.

An imagined drop finds out which of the two it would have been, without any drop. It is set on a connection at some
moment: from then on a send would have raised. The disconnect would have been handed out one turn of the event loop
later, or as soon as the consumer asks the server for its next message: from then on the consumer would have got it at
the end of what it handles, unless a send comes first.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from loadtest.ledger import Event
from loadtest.probe.recording import Ledger

Dispatch = Callable[[Mapping[str, Any]], Awaitable[None]]


class Handling:
    """The state of one connection's consumer; touched in the thread of the event loop only."""

    __slots__ = (
        "_asked_ns",
        "_is_handed_out",
        "connection",
        "imagined",
        "in_midst",
        "is_dispatched",
        "is_open",
        "is_receiving",
        "ledger",
        "message",
    )

    def __init__(self, connection: int, ledger: Ledger) -> None:
        """Nothing is known of it yet; what is recorded of it goes into that ledger."""
        self.connection = connection
        self.ledger = ledger
        self.is_dispatched = False
        """A consumer of Channels takes its messages, and `recorded_dispatch` sees each."""
        self.is_open = False
        """Accepted, and no disconnect was handed out."""
        self.is_receiving = False
        """The consumer has asked the server for the next message and has not got it."""
        self.message: Mapping[str, Any] | None = None
        """What is being handled."""
        self.imagined = 0
        """Imagined drops of which the outcome is open."""
        self.in_midst = 0
        """Of these, the ones that met the consumer in the midst of a message."""
        self._asked_ns = 0
        """When the first of those was set."""
        self._is_handed_out = False
        """Their disconnect would have been handed out by now."""

    @property
    def handled_type(self) -> str:
        """The type of the ASGI or channel message that is being handled; "" when the consumer waits for one."""
        return "" if self.message is None else str(self.message.get("type", ""))

    def judge(self, asked_ns: int) -> bool:
        """Tell, one turn after imagined drops were added, whether they met the consumer in the midst of a message."""
        if not self.imagined:
            return True  # it has sent meanwhile
        if self.message is None and self.is_receiving:
            self._spare()
            return False
        if not self.in_midst:
            self._asked_ns = asked_ns
        self.in_midst = self.imagined
        self.receive()
        return True

    def receive(self) -> None:
        """The consumer has been waiting for the server's next message for a turn, unless it has got one."""
        if self.is_receiving:
            self.disconnect()

    def disconnect(self) -> None:
        """The server hands out a disconnect, or would do so."""
        self._is_handed_out = True
        if self.message is None:
            self._spare()

    def send(self) -> None:
        """The consumer sends: every imagined drop would have been missed."""
        self._forget()

    def end(self) -> None:
        """The consumer has handled a message."""
        if self._is_handed_out:
            self._spare()

    def _spare(self) -> None:
        """The consumer would get its disconnect."""
        if self.in_midst:
            self.ledger.record(Event.SPARED, self.connection, value=self.in_midst, time_ns=self._asked_ns)
        self._forget()

    def _forget(self) -> None:
        self.imagined = self.in_midst = 0
        self._is_handed_out = False


current_handling: "ContextVar[Handling | None]" = ContextVar("current_handling", default=None)
"""That of the connection whose application task, or a thread that works for it, is running.

The only variable of the probe: asgiref goes through all of a context on each of its ways into a thread and back.
"""


def recorded_dispatch(dispatch: Dispatch, handling: Handling) -> Dispatch:
    """Return a consumer's dispatch() that keeps its state."""
    handling.is_dispatched = True

    async def recorded(message: Mapping[str, Any]) -> None:  # comes with every message: no call that is not needed
        handling.message = message
        try:
            await dispatch(message)
        finally:
            handling.message = None
            if handling.in_midst:
                handling.end()

    return recorded
