"""Planted: some messages are held back until the same sender's next one has been sent."""

from target_app.consumers import async_, sync
from target_app.planted.rates import is_chosen, sender


class Holding:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.held = {}


class SyncRoomConsumer(Holding, sync.RoomConsumer):
    def chat_message(self, event):
        message = event["message"]
        if is_chosen(message):
            self.held[sender(message)] = event
            return
        super().chat_message(event)
        if sender(message) in self.held:
            super().chat_message(self.held.pop(sender(message)))


class AsyncRoomConsumer(Holding, async_.RoomConsumer):
    async def chat_message(self, event):
        message = event["message"]
        if is_chosen(message):
            self.held[sender(message)] = event
            return
        await super().chat_message(event)
        if sender(message) in self.held:
            await super().chat_message(self.held.pop(sender(message)))
