"""The consumer that tutorials have at `ws/`: it answers `Received: <text>`."""

from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer


class ReceivedConsumer(WebsocketConsumer):
    """Says what it has received."""

    def connect(self):
        self.accept()

    def disconnect(self, close_code):
        pass

    def receive(self, text_data):
        self.send(text_data=f"Received: {text_data}")


class AsyncReceivedConsumer(AsyncWebsocketConsumer):
    """Says what it has received."""

    async def connect(self):
        await self.accept()

    async def disconnect(self, close_code):
        pass

    async def receive(self, text_data):
        await self.send(text_data=f"Received: {text_data}")
