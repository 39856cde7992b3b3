"""The async consumers with a guard: disconnect() also runs when the consumer's task ends without it."""

from loadtest.cures.guard import AsyncGuard
from target_app.consumers import async_


class EchoConsumer(AsyncGuard, async_.EchoConsumer):
    """Answers each message with itself."""


class RoomConsumer(AsyncGuard, async_.RoomConsumer):
    """Passes each message on to all members of its room."""
