"""A consumer without connect(): Channels' own accepts every connection."""

from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer


class NoConnectConsumer(WebsocketConsumer):
    """Answers each text with itself."""

    def receive(self, text_data):
        self.send(text_data=text_data)


class AsyncNoConnectConsumer(AsyncWebsocketConsumer):
    """Answers each text with itself."""

    async def receive(self, text_data):
        await self.send(text_data=text_data)
