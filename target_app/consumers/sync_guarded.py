"""The sync consumers with a guard: disconnect() also runs when the consumer's task ends without it."""

from loadtest.cures.guard import SyncGuard
from target_app.consumers import sync


class EchoConsumer(SyncGuard, sync.EchoConsumer):
    """Answers each message with itself."""


class RoomConsumer(SyncGuard, sync.RoomConsumer):
    """Passes each message on to all members of its room."""
