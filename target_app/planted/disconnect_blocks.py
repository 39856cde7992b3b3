"""Planted: disconnect() waits for something that does not come, before its cleanup.

In sync the first one holds the thread that all sync consumers of a process share: no other disconnect() is entered.
"""

import asyncio
import time

from target_app.consumers import async_, sync
from target_app.planted.rates import FOREVER_S, PRIMING_ROOM


class SyncRoomConsumer(sync.RoomConsumer):
    def disconnect(self, close_code):
        if self.room_name != PRIMING_ROOM:
            time.sleep(FOREVER_S)
        super().disconnect(close_code)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def disconnect(self, close_code):
        if self.room_name != PRIMING_ROOM:
            await asyncio.sleep(FOREVER_S)
        await super().disconnect(close_code)
