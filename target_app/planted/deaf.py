"""Planted: the members of one room leave its group after some messages, and stay connected."""

from asgiref.sync import async_to_sync

from target_app.consumers import async_, sync
from target_app.planted.rates import DEAF_AFTER, DEAF_ROOM


class Counting:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.heard = 0

    def has_heard_enough(self):
        self.heard += 1
        return self.room_name == DEAF_ROOM and self.heard == DEAF_AFTER


class SyncRoomConsumer(Counting, sync.RoomConsumer):
    def chat_message(self, event):
        super().chat_message(event)
        if self.has_heard_enough():
            async_to_sync(self.channel_layer.group_discard)(self.room_group_name, self.channel_name)


class AsyncRoomConsumer(Counting, async_.RoomConsumer):
    async def chat_message(self, event):
        await super().chat_message(event)
        if self.has_heard_enough():
            await self.channel_layer.group_discard(self.room_group_name, self.channel_name)
