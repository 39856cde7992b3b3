"""Planted: something of every connection is kept for good."""

from target_app.consumers import async_, sync
from target_app.planted.rates import LEAK_BYTES

kept = []


class SyncRoomConsumer(sync.RoomConsumer):
    def connect(self):
        kept.append(b"x" * LEAK_BYTES)
        super().connect()


class AsyncRoomConsumer(async_.RoomConsumer):
    async def connect(self):
        kept.append(b"x" * LEAK_BYTES)
        await super().connect()
