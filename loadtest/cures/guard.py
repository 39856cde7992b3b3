"""Guard: disconnect() also runs when the consumer's task ends without it.

Channels calls disconnect() for a disconnect message only. When a send to a client that is gone raises first, or a
handler does, the task ends there (django/channels#1466), and what disconnect() would have undone stays.

    class ChatConsumer(AsyncGuard, AsyncWebsocketConsumer): ...
"""

from asyncio import create_task
from contextvars import copy_context
from typing import Any

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer

ABNORMAL = 1006
"""The code that disconnect() gets from a guard: the connection ended without a close frame (RFC 6455, 7.4.1)."""


class AsyncGuard(AsyncWebsocketConsumer):
    """Calls disconnect() in whichever way the task ends; a second time only where the first one raised."""

    _has_to_leave = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._has_to_leave:
                await self._leave()

    async def websocket_connect(self, message: Any) -> None:
        self._has_to_leave = True
        await super().websocket_connect(message)

    async def websocket_disconnect(self, message: Any) -> None:
        try:
            await super().websocket_disconnect(message)
        except StopConsumer:  # Channels raises it when disconnect() has returned
            self._has_to_leave = False
            raise

    async def _leave(self) -> None:
        try:
            await self.disconnect(ABNORMAL)
        finally:
            for group in self.groups:
                await self.channel_layer.group_discard(group, self.channel_name)


class SyncGuard(WebsocketConsumer):
    """The same for sync consumers."""

    _has_to_leave = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # A task cancelled while a handler sends is left with a context in which asgiref can run nothing more
        context = copy_context()
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._has_to_leave:
                # In the thread that every sync handler runs in, so never beside one that is still running
                await create_task(database_sync_to_async(self._leave)(), context=context)

    def websocket_connect(self, message: Any) -> None:
        self._has_to_leave = True
        super().websocket_connect(message)

    def websocket_disconnect(self, message: Any) -> None:
        try:
            super().websocket_disconnect(message)
        except StopConsumer:
            self._has_to_leave = False
            raise

    def _leave(self) -> None:
        try:
            self.disconnect(ABNORMAL)
        finally:
            for group in self.groups:
                async_to_sync(self.channel_layer.group_discard)(group, self.channel_name)
