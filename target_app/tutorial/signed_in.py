"""Consumers that refuse whoever is not signed in: close() before accept() (`AuthMiddlewareStack` is in asgi.py)."""

from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer


class SignedInConsumer(WebsocketConsumer):
    """Answers each text with the user's name and the text."""

    def connect(self):
        if not self.scope["user"].is_authenticated:
            self.close()
        else:
            self.accept()

    def disconnect(self, close_code):
        pass

    def receive(self, text_data):
        self.send(text_data=f"{self.scope['user'].get_username()}: {text_data}")


class AsyncSignedInConsumer(AsyncWebsocketConsumer):
    """Answers each text with the user's name and the text."""

    async def connect(self):
        if not self.scope["user"].is_authenticated:
            await self.close()
        else:
            await self.accept()

    async def disconnect(self, close_code):
        pass

    async def receive(self, text_data):
        await self.send(text_data=f"{self.scope['user'].get_username()}: {text_data}")
