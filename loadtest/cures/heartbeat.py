"""Heartbeat: heartbeat() is called every few seconds while the connection is open, and not once disconnect() has begun.

What a consumer writes down can then expire: a row that says until when somebody is online, which each heartbeat
prolongs; a place in a group, which each heartbeat takes again before the layer's group_expiry ends it.

    class ChatConsumer(AsyncHeartbeat, AsyncWebsocketConsumer):
        heartbeat_s = 20

        async def heartbeat(self): ...
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer

logger = logging.getLogger(__name__)


class _Beating(AsyncConsumer):
    heartbeat_s: float = 20.0
    """Seconds between two heartbeats: a third of what expires, so that one may come late and one fail."""

    _is_open = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._turn = asyncio.Lock()  # held by a heartbeat that is under way
        beating = asyncio.create_task(self._beat_on())
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._is_open = False
            async with self._turn:
                beating.cancel()

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_s)
            async with self._turn:
                try:
                    await self._beat()
                except Exception:  # of the app: the connection is open all the same
                    logger.exception("heartbeat() failed; the next one is in %g s", self.heartbeat_s)


class AsyncHeartbeat(_Beating, AsyncWebsocketConsumer):
    """Calls `async def heartbeat(self)` beside the handlers."""

    heartbeat: Callable[[], Awaitable[None]]
    """Prolongs what expires; yours."""

    async def websocket_disconnect(self, message: Any) -> None:
        async with self._turn:
            self._is_open = False
        await super().websocket_disconnect(message)

    async def _beat(self) -> None:
        if self._is_open:
            await self.heartbeat()


class SyncHeartbeat(_Beating, WebsocketConsumer):
    """Calls `def heartbeat(self)` between the handlers, in their thread."""

    heartbeat: Callable[[], None]
    """Prolongs what expires; yours."""

    def websocket_disconnect(self, message: Any) -> None:
        self._is_open = False
        super().websocket_disconnect(message)

    async def _beat(self) -> None:
        await database_sync_to_async(self._beat_in_thread)()

    def _beat_in_thread(self) -> None:
        if self._is_open:
            self.heartbeat()
