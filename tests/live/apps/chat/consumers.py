"""Consumers as people write them, most of them with something special in how they end."""

import asyncio
import functools

from channels.db import database_sync_to_async
from channels.exceptions import DenyConnection
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
    JsonWebsocketConsumer,
    WebsocketConsumer,
)
from django.urls import path


class Json(JsonWebsocketConsumer):
    def receive_json(self, content):
        self.send_json(content)


class AsyncJson(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json(content)


class Grouped(WebsocketConsumer):
    groups = ["everyone"]  # noqa: RUF012 - as Channels' documentation has it


class AsyncGrouped(AsyncWebsocketConsumer):
    groups = ["everyone", "nobody"]  # noqa: RUF012


class Farewell:
    """A mixin, as projects share them."""

    async def disconnect(self, code):
        await asyncio.sleep(0)
        await super().disconnect(code)


class MixedIn(Farewell, AsyncGrouped):
    async def disconnect(self, code):
        await super().disconnect(code)


class Raises(WebsocketConsumer):
    def disconnect(self, code):
        raise LookupError("already gone")


class AsyncRaises(AsyncWebsocketConsumer):
    async def disconnect(self, code):
        raise LookupError("already gone")


class InDatabaseThread(AsyncWebsocketConsumer):
    @database_sync_to_async
    def disconnect(self, code):
        assert code == 1000


def logged(method):
    @functools.wraps(method)
    def wrapper(*arguments, **named):
        return method(*arguments, **named)

    return wrapper


class Decorated(AsyncWebsocketConsumer):
    @logged
    async def disconnect(self, close_code):
        await asyncio.sleep(0)
        raise LookupError("only when it is awaited")


class ByKeyword(AsyncWebsocketConsumer):
    """Calls its own disconnect() by hand, with a name for the code that is its own."""

    async def receive(self, text_data):
        await self.disconnect(close_code=4000)

    async def disconnect(self, close_code):
        pass


class Rejects(WebsocketConsumer):
    def connect(self):
        self.close(4403)


class Denies(AsyncWebsocketConsumer):
    async def connect(self):
        raise DenyConnection


class RaisesInConnect(AsyncWebsocketConsumer):
    async def connect(self):
        raise PermissionError("not you")


class ClosesItself(AsyncWebsocketConsumer):
    async def receive(self, text_data):
        await self.close(4001)


class RaisesInReceive(WebsocketConsumer):
    def receive(self, text_data):
        raise ZeroDivisionError


class Hangs(AsyncWebsocketConsumer):
    async def disconnect(self, code):
        await asyncio.Event().wait()


ROUTES = {
    "json": Json,
    "async-json": AsyncJson,
    "grouped": Grouped,
    "async-grouped": AsyncGrouped,
    "mixed-in": MixedIn,
    "raises": Raises,
    "async-raises": AsyncRaises,
    "in-database-thread": InDatabaseThread,
    "decorated": Decorated,
    "by-keyword": ByKeyword,
    "rejects": Rejects,
    "denies": Denies,
    "raises-in-connect": RaisesInConnect,
    "closes-itself": ClosesItself,
    "raises-in-receive": RaisesInReceive,
    "hangs": Hangs,
}


def routes():
    return [path(f"{name}/", consumer.as_asgi()) for name, consumer in ROUTES.items()]
