"""Boards that are drawn on together: everybody sees the others' pens, and is told when the owner saves the board."""

import asyncio

from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer


class PenConsumer(AsyncJsonWebsocketConsumer):
    """Each pen's strokes go to all but the one who draws them."""

    async def connect(self):
        self.board = f"board.{self.scope['url_route']['kwargs']['board']}"
        await self.channel_layer.group_add(self.board, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        stroke = {"type": "pen.moved", "by": self.channel_name, "stroke": content["stroke"]}
        await self.channel_layer.group_send(self.board, stroke)

    async def pen_moved(self, event):
        if event["by"] != self.channel_name:
            await self.send_json({"stroke": event["stroke"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.board, self.channel_name)


class SavedConsumer(AsyncJsonWebsocketConsumer):
    """Tells who listens that the board was saved; whatever they say is ignored."""

    async def connect(self):
        await self.channel_layer.group_add("saved", self.channel_name)
        await self.accept()

    async def board_saved(self, event):
        await self.send_json({"saved": event["board"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard("saved", self.channel_name)


class SyncSavedConsumer(JsonWebsocketConsumer):
    """The same, for those who are never told that a listener has gone."""

    def connect(self):
        async_to_sync(self.channel_layer.group_add)("saved", self.channel_name)
        self.accept()

    def board_saved(self, event):
        self.send_json({"saved": event["board"]})


class LobbyConsumer(AsyncJsonWebsocketConsumer):
    """A board is chosen by a message, which is not answered."""

    board = None

    async def receive_json(self, content):
        if "board" in content:
            await asyncio.sleep(0.2)  # asks another service whether the user may see it
            self.board = f"lobby.{content['board']}"
            await self.channel_layer.group_add(self.board, self.channel_name)
        else:
            await self.channel_layer.group_send(self.board, {"type": "lobby.said", "text": content["text"]})

    async def lobby_said(self, event):
        await self.send_json({"text": event["text"]})

    async def disconnect(self, code):
        if self.board:
            await self.channel_layer.group_discard(self.board, self.channel_name)


class ForgetfulLobbyConsumer(LobbyConsumer):
    """Loses each fourth message of a board."""

    heard = 0

    async def lobby_said(self, event):
        self.heard += 1
        if self.heard % 4:
            await super().lobby_said(event)
