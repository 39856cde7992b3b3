"""The sync consumers with a guard: cleanup that also runs when the consumer's task ends without disconnect().

Channels calls disconnect() only for a disconnect message. When a send to a client that is gone raises first, the
task ends there (django/channels#1466), and what disconnect() would have undone stays.
"""

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async

from target_app.consumers import sync
from target_app.presence.models import Presence


class Guarded:
    """Runs clean_up() whichever way the connection's task ends, and no second time once it has worked."""

    needs_cleaning = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # In the thread that every sync handler runs in, so never beside one that is still running
            await database_sync_to_async(self.clean_up_once)()

    def connect(self):
        self.needs_cleaning = True
        super().connect()

    def disconnect(self, close_code):
        self.clean_up_once()

    def clean_up_once(self):
        if self.needs_cleaning:
            self.clean_up()
            self.needs_cleaning = False


class EchoConsumer(Guarded, sync.EchoConsumer):
    """Answers each message with itself."""

    def clean_up(self):
        Presence.objects.offline(self.channel_name)


class RoomConsumer(Guarded, sync.RoomConsumer):
    """Passes each message on to all members of its room."""

    def clean_up(self):
        try:
            # Leave room group
            async_to_sync(self.channel_layer.group_discard)(self.room_group_name, self.channel_name)
        finally:  # also when the layer's server is gone
            Presence.objects.offline(self.channel_name)
