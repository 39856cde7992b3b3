"""A chat, as tutorials teach it at `ws/chat/<room_name>/`; the name of the room is in the route and used nowhere."""

import logging

from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer

log = logging.getLogger(__name__)


class ChatConsumer(WebsocketConsumer):
    """Greets whoever connects, and answers each text with `Echo: <text>`."""

    def connect(self):
        self.accept()
        self.send(text_data='{"message": "Connected"}')

    def disconnect(self, close_code):
        log.info("Disconnected with code: %s", close_code)

    def receive(self, text_data):
        self.send(text_data=f"Echo: {text_data}")


class AsyncChatConsumer(AsyncWebsocketConsumer):
    """Greets whoever connects, and answers each text with `Echo: <text>`."""

    async def connect(self):
        await self.accept()
        await self.send(text_data='{"message": "Connected"}')

    async def disconnect(self, close_code):
        log.info("Disconnected with code: %s", close_code)

    async def receive(self, text_data):
        await self.send(text_data=f"Echo: {text_data}")
