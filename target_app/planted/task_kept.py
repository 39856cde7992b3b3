"""Planted: connect() starts something in the background that disconnect() does not stop."""

import asyncio
import threading
import time

from target_app.consumers import async_, sync
from target_app.planted.rates import FOREVER_S

THREAD_NAME = "heartbeat"


class SyncRoomConsumer(sync.RoomConsumer):
    def connect(self):
        threading.Thread(target=time.sleep, args=[FOREVER_S], name=THREAD_NAME, daemon=True).start()
        super().connect()


class AsyncRoomConsumer(async_.RoomConsumer):
    async def connect(self):
        self.heartbeat = asyncio.create_task(heartbeat())
        await super().connect()


async def heartbeat():
    """Do what nobody asks for any more."""
    await asyncio.sleep(FOREVER_S)
