"""Planted: websocket_disconnect() is overridden and raises no StopConsumer, so the consumer's task never ends."""

from channels.exceptions import StopConsumer

from target_app.consumers import async_, sync
from target_app.planted.rates import PRIMING_ROOM


class SyncRoomConsumer(sync.RoomConsumer):
    def websocket_disconnect(self, message):
        self.disconnect(message["code"])
        if self.room_name == PRIMING_ROOM:
            raise StopConsumer


class AsyncRoomConsumer(async_.RoomConsumer):
    async def websocket_disconnect(self, message):
        await self.disconnect(message["code"])
        if self.room_name == PRIMING_ROOM:
            raise StopConsumer
