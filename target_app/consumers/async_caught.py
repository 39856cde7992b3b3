"""The async consumers with sends that are caught: one to a client that is gone does nothing."""

from loadtest.cures.catching import CatchesSendErrors
from target_app.consumers import async_


class EchoConsumer(CatchesSendErrors, async_.EchoConsumer):
    """Answers each message with itself."""


class RoomConsumer(CatchesSendErrors, async_.RoomConsumer):
    """Passes each message on to all members of its room."""
