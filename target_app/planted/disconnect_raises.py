"""Planted: disconnect() raises before its cleanup."""

from target_app.consumers import async_, sync


class SyncRoomConsumer(sync.RoomConsumer):
    def disconnect(self, close_code):
        self.history["last"].append(close_code)  # AttributeError: nobody ever made a history
        super().disconnect(close_code)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def disconnect(self, close_code):
        self.history["last"].append(close_code)  # AttributeError: nobody ever made a history
        await super().disconnect(close_code)
