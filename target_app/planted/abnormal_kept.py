"""Planted: disconnect() cleans up after an orderly close only, as if there were no other codes."""

from target_app.consumers import async_, sync

NORMAL = 1000


class SyncRoomConsumer(sync.RoomConsumer):
    def disconnect(self, close_code):
        if close_code == NORMAL:
            super().disconnect(close_code)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def disconnect(self, close_code):
        if close_code == NORMAL:
            await super().disconnect(close_code)
