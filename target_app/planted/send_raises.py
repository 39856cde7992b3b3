"""Planted: says goodbye to a client that is gone; the send raises and ends the task before disconnect()."""

import json

from target_app.consumers import async_, sync

GOODBYE = json.dumps({"message": "goodbye"})


class SyncRoomConsumer(sync.RoomConsumer):
    def websocket_disconnect(self, message):
        self.send(text_data=GOODBYE)
        super().websocket_disconnect(message)


class AsyncRoomConsumer(async_.RoomConsumer):
    async def websocket_disconnect(self, message):
        await self.send(text_data=GOODBYE)
        await super().websocket_disconnect(message)
