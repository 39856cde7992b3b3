"""Planted: some messages of one room make its handler sleep on the event loop, so that nobody is served.

In a sync consumer the same call holds the thread that all sync consumers share: that is no defect of the consumer's, it
is how Channels runs them.
"""

import json
import time

from target_app.consumers import async_
from target_app.planted.rates import BLOCKED_MS, BLOCKING_ROOM, is_chosen


class AsyncRoomConsumer(async_.RoomConsumer):
    async def receive(self, text_data):
        if self.room_name == BLOCKING_ROOM and is_chosen(json.loads(text_data)["message"]):
            time.sleep(BLOCKED_MS / 1000)
        await super().receive(text_data)
