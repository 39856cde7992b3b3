"""The sync consumers with sends that are caught: one to a client that is gone does nothing."""

from loadtest.cures.catching import CatchesSendErrors
from target_app.consumers import sync


class EchoConsumer(CatchesSendErrors, sync.EchoConsumer):
    """Answers each message with itself."""


class RoomConsumer(CatchesSendErrors, sync.RoomConsumer):
    """Passes each message on to all members of its room."""
