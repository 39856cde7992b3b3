"""Planted: connect() opens a file that disconnect() does not close."""

import os

from target_app.consumers import async_, sync


class SyncRoomConsumer(sync.RoomConsumer):
    def connect(self):
        self.log = os.open(os.devnull, os.O_WRONLY)
        super().connect()


class AsyncRoomConsumer(async_.RoomConsumer):
    async def connect(self):
        self.log = os.open(os.devnull, os.O_WRONLY)
        await super().connect()
