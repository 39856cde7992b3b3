"""Planted: disconnect() leaves the group and forgets to mark the user offline."""

from asgiref.sync import async_to_sync

from target_app.consumers import async_, sync


class SyncRoomConsumer(sync.RoomConsumer):
    def disconnect(self, close_code):
        async_to_sync(self.channel_layer.group_discard)(self.room_group_name, self.channel_name)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def disconnect(self, close_code):
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)
