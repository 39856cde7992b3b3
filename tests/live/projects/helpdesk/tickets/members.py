"""Middleware of our own: whoever is not signed in gets no further."""

from channels.middleware import BaseMiddleware
from channels.security.websocket import WebsocketDenier


class MembersOnly(BaseMiddleware):
    async def __call__(self, scope, receive, send):
        inner = self.inner if scope["user"].is_authenticated else WebsocketDenier()
        return await inner(scope, receive, send)
