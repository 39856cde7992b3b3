"""Joining: what a member says when its connection has opened, and what it waits for before that counts as open."""

from collections.abc import Callable, Sequence
from typing import Final

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from loadtest.wire import Connection, WireError

JOIN_TIMEOUT_S: Final = 10.0
NO_ANSWER: Final = "joining was not answered"
CLOSED: Final = "closed by the server while joining"


class Joining:
    """The joining of one member, each time that it opens a connection; one connection at a time."""

    def __init__(
        self, frames: Callable[[], Sequence[str | bytes]], is_expected: Callable[[str | bytes], bool] | None
    ) -> None:
        """Take what returns what is said, and tells the frame that is waited for; None: nothing is waited for."""
        self._frames = frames
        self._is_expected = is_expected
        self._connection: Connection | None = None
        self._outcome: AsyncResult[str] = AsyncResult()
        self.says = 0
        """How many frames were said when it joined last."""

    @property
    def is_answered(self) -> bool:
        """Tell whether something is waited for; else nobody knows when the app has handled what was said."""
        return self._is_expected is not None

    def join(self, connection: Connection) -> str:
        """Say it, and wait; return "", or why the connection is of no use."""
        self._connection, self._outcome = connection, AsyncResult()
        frames = self._frames()
        self.says = len(frames)
        try:
            for frame in frames:
                connection.send(frame)
            return "" if self._is_expected is None else self._outcome.get(timeout=JOIN_TIMEOUT_S)
        except WireError as error:
            return error.name
        except Timeout:
            return NO_ANSWER
        finally:
            self._connection = None

    def is_met_by(self, connection: Connection, frame: str | bytes) -> bool:
        """Tell whether a frame belongs to the joining, and end that where it is what is waited for; on the hub."""
        if connection is not self._connection:
            return False
        if self._is_expected is not None and self._is_expected(frame):
            self._connection = None  # what comes from here on is for the member
            self._outcome.set("")
        return True

    def is_ended_by(self, connection: Connection) -> bool:
        """Tell whether a connection that has ended was joining, and end that; on the hub."""
        if connection is not self._connection:
            return False
        self._outcome.set(CLOSED)
        return True
