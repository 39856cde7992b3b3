"""Clients join a room by a command, and then talk in it."""

from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer

from rooms.models import Visit


class ChatConsumer(AsyncJsonWebsocketConsumer):
    room = None

    async def receive_json(self, content):
        if content["command"] == "join":
            self.room = content["room"]
            await self.channel_layer.group_add(f"room.{self.room}", self.channel_name)
            await Visit.objects.acreate(room=self.room, channel=self.channel_name)
            await self.send_json({"event": "joined", "room": self.room})
        elif content["command"] == "say":
            message = {"type": "chat.said", "data": {"text": content["text"], "html": f"<p>{content['text']}</p>"}}
            await self.channel_layer.group_send(f"room.{self.room}", message)
            if content.get("receipt"):
                await self.send_json({"event": "stored", "text": content["text"]})
        else:
            await self.send_json({"event": "error", "error": f"unknown command {content['command']}"})

    async def chat_said(self, event):
        await self.send_json({"event": "said", "room": self.room, **event["data"]})

    async def disconnect(self, code):
        if self.room is not None:
            await self.channel_layer.group_discard(f"room.{self.room}", self.channel_name)
            await Visit.objects.filter(channel=self.channel_name).adelete()


class SyncChatConsumer(JsonWebsocketConsumer):
    room = None

    def receive_json(self, content):
        if content["command"] == "join":
            self.room = content["room"]
            async_to_sync(self.channel_layer.group_add)(f"room.{self.room}", self.channel_name)
            Visit.objects.create(room=self.room, channel=self.channel_name)
            self.send_json({"event": "joined", "room": self.room})
        elif content["command"] == "say":
            message = {"type": "chat.said", "data": {"text": content["text"], "html": f"<p>{content['text']}</p>"}}
            async_to_sync(self.channel_layer.group_send)(f"room.{self.room}", message)
            if content.get("receipt"):
                self.send_json({"event": "stored", "text": content["text"]})
        else:
            self.send_json({"event": "error", "error": f"unknown command {content['command']}"})

    def chat_said(self, event):
        self.send_json({"event": "said", "room": self.room, **event["data"]})

    def disconnect(self, code):
        if self.room is not None:
            async_to_sync(self.channel_layer.group_discard)(f"room.{self.room}", self.channel_name)
            Visit.objects.filter(channel=self.channel_name).delete()
