"""Async consumers, written as the Channels tutorial teaches them."""

import json

from channels.generic.websocket import AsyncWebsocketConsumer

from target_app.presence.models import Presence
from target_app.work import REFUSED, UnknownWork, parse_work


class EchoConsumer(AsyncWebsocketConsumer):
    """Answers each message with itself."""

    presence_s = None  # how long "online" counts; None: until disconnect()

    async def connect(self):
        try:
            self.work = parse_work(self.scope["query_string"])
        except UnknownWork:
            await self.close(REFUSED)
            return

        await Presence.objects.aonline(self.scope, self.channel_name, self.presence_s)
        await self.accept()

    async def disconnect(self, close_code):
        await Presence.objects.aoffline(self.channel_name)

    # Receive message from WebSocket
    async def receive(self, text_data):
        text_data_json = json.loads(text_data)
        message = text_data_json["message"]

        await self.work.arun()

        # Send message to WebSocket
        await self.send(text_data=json.dumps({"message": message}))


class RoomConsumer(AsyncWebsocketConsumer):
    """Passes each message on to all members of its room."""

    presence_s = None  # how long "online" counts; None: until disconnect()

    async def connect(self):
        self.room_name = self.scope["url_route"]["kwargs"]["room_name"]
        self.room_group_name = f"chat_{self.room_name}"
        try:
            self.work = parse_work(self.scope["query_string"])
        except UnknownWork:
            await self.close(REFUSED)
            return

        # Join room group
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)

        await Presence.objects.aonline(self.scope, self.channel_name, self.presence_s)
        await self.accept()

    async def disconnect(self, close_code):
        # Leave room group
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)

        await Presence.objects.aoffline(self.channel_name)

    # Receive message from WebSocket
    async def receive(self, text_data):
        text_data_json = json.loads(text_data)
        message = text_data_json["message"]

        await self.work.arun()

        # Send message to room group
        await self.channel_layer.group_send(self.room_group_name, {"type": "chat.message", "message": message})

    # Receive message from room group
    async def chat_message(self, event):
        message = event["message"]

        # Send message to WebSocket
        await self.send(text_data=json.dumps({"message": message}))
