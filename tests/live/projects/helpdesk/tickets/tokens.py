"""Middleware of our own: programs show a token."""

import os

from channels.security.websocket import WebsocketDenier


class TokenMiddleware:
    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        token = f"Bearer {os.environ['HELPDESK_TOKEN']}".encode()
        allowed = dict(scope["headers"]).get(b"authorization") == token
        inner = self.inner if allowed else WebsocketDenier()
        return await inner(scope, receive, send)
