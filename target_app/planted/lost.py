"""Planted: some messages are sent to nobody."""

from target_app.consumers import async_, sync
from target_app.planted.rates import is_chosen


class SyncRoomConsumer(sync.RoomConsumer):
    def chat_message(self, event):
        if not is_chosen(event["message"]):
            super().chat_message(event)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def chat_message(self, event):
        if not is_chosen(event["message"]):
            await super().chat_message(event)
