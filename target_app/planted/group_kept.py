"""Planted: disconnect() does not leave the group."""

from target_app.consumers import async_, sync
from target_app.presence.models import Presence


class SyncRoomConsumer(sync.RoomConsumer):
    def disconnect(self, close_code):
        Presence.objects.offline(self.channel_name)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def disconnect(self, close_code):
        await Presence.objects.aoffline(self.channel_name)
