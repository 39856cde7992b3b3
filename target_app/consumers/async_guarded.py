"""The async consumers with a guard: cleanup that also runs when the consumer's task ends without disconnect().

Channels calls disconnect() only for a disconnect message. When a send to a client that is gone raises first, the
task ends there (django/channels#1466), and what disconnect() would have undone stays.
"""

from target_app.consumers import async_
from target_app.presence.models import Presence


class Guarded:
    """Runs clean_up() whichever way the connection's task ends, and no second time once it has worked."""

    needs_cleaning = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.clean_up_once()

    async def connect(self):
        self.needs_cleaning = True
        await super().connect()

    async def disconnect(self, close_code):
        await self.clean_up_once()

    async def clean_up_once(self):
        if self.needs_cleaning:
            await self.clean_up()
            self.needs_cleaning = False


class EchoConsumer(Guarded, async_.EchoConsumer):
    """Answers each message with itself."""

    async def clean_up(self):
        await Presence.objects.aoffline(self.channel_name)


class RoomConsumer(Guarded, async_.RoomConsumer):
    """Passes each message on to all members of its room."""

    async def clean_up(self):
        try:
            # Leave room group
            await self.channel_layer.group_discard(self.room_group_name, self.channel_name)
        finally:  # also when the layer's server is gone
            await Presence.objects.aoffline(self.channel_name)
