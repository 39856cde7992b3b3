"""The sync consumers with a heartbeat: presence that expires, and a group that is joined again and again."""

from asgiref.sync import async_to_sync

from loadtest.cures.heartbeat import SyncHeartbeat
from target_app.consumers import sync
from target_app.consumers.expiry import HEARTBEAT_S, PRESENCE_S
from target_app.presence.models import Presence


class EchoConsumer(SyncHeartbeat, sync.EchoConsumer):
    """Answers each message with itself."""

    presence_s = PRESENCE_S
    heartbeat_s = HEARTBEAT_S

    def heartbeat(self):
        Presence.objects.prolong(self.channel_name, self.presence_s)


class RoomConsumer(SyncHeartbeat, sync.RoomConsumer):
    """Passes each message on to all members of its room."""

    presence_s = PRESENCE_S
    heartbeat_s = HEARTBEAT_S

    def heartbeat(self):
        # Join again, before the layer's group_expiry ends it
        async_to_sync(self.channel_layer.group_add)(self.room_group_name, self.channel_name)

        Presence.objects.prolong(self.channel_name, self.presence_s)
