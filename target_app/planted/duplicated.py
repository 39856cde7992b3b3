"""Planted: some messages are sent to each member twice."""

from target_app.consumers import async_, sync
from target_app.planted.rates import is_chosen


class SyncRoomConsumer(sync.RoomConsumer):
    def chat_message(self, event):
        super().chat_message(event)
        if is_chosen(event["message"]):
            super().chat_message(event)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def chat_message(self, event):
        await super().chat_message(event)
        if is_chosen(event["message"]):
            await super().chat_message(event)
