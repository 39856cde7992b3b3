"""A room that keeps who is online in the database: disconnect() logs the code, leaves the group, marks offline."""

import json
import logging

from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer

from target_app.presence.models import Presence

log = logging.getLogger(__name__)


class OfflineConsumer(WebsocketConsumer):
    """Passes each message on to everybody in the room."""

    def connect(self):
        self.room_group_name = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        async_to_sync(self.channel_layer.group_add)(self.room_group_name, self.channel_name)
        Presence.objects.online(self.scope, self.channel_name)
        self.accept()

    def disconnect(self, close_code):
        log.info("WebSocket disconnected with code: %s", close_code)
        async_to_sync(self.channel_layer.group_discard)(self.room_group_name, self.channel_name)
        Presence.objects.offline(self.channel_name)

    def receive(self, text_data):
        message = json.loads(text_data)["message"]
        async_to_sync(self.channel_layer.group_send)(self.room_group_name, {"type": "chat.message", "message": message})

    def chat_message(self, event):
        self.send(text_data=json.dumps({"message": event["message"]}))


class AsyncOfflineConsumer(AsyncWebsocketConsumer):
    """Passes each message on to everybody in the room."""

    async def connect(self):
        self.room_group_name = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)
        await Presence.objects.aonline(self.scope, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code):
        log.info("WebSocket disconnected with code: %s", close_code)
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)
        await Presence.objects.aoffline(self.channel_name)

    async def receive(self, text_data):
        message = json.loads(text_data)["message"]
        await self.channel_layer.group_send(self.room_group_name, {"type": "chat.message", "message": message})

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))
