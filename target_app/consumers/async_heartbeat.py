"""The async consumers with a heartbeat: presence that expires, and a group that is joined again and again."""

from loadtest.cures.heartbeat import AsyncHeartbeat
from target_app.consumers import async_
from target_app.consumers.expiry import HEARTBEAT_S, PRESENCE_S
from target_app.presence.models import Presence


class EchoConsumer(AsyncHeartbeat, async_.EchoConsumer):
    """Answers each message with itself."""

    presence_s = PRESENCE_S
    heartbeat_s = HEARTBEAT_S

    async def heartbeat(self):
        await Presence.objects.aprolong(self.channel_name, self.presence_s)


class RoomConsumer(AsyncHeartbeat, async_.RoomConsumer):
    """Passes each message on to all members of its room."""

    presence_s = PRESENCE_S
    heartbeat_s = HEARTBEAT_S

    async def heartbeat(self):
        # Join again, before the layer's group_expiry ends it
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)

        await Presence.objects.aprolong(self.channel_name, self.presence_s)
