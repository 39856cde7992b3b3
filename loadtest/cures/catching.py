"""Catching: a send to a client that is gone does nothing, so that the task lives on and disconnect() is called.

One class for sync and async consumers: it catches the error where the server raises it, below async_to_sync.

    class ChatConsumer(CatchesSendErrors, WebsocketConsumer): ...
"""

import logging
from typing import Any

from channels.consumer import AsyncConsumer

logger = logging.getLogger(__name__)


class CatchesSendErrors(AsyncConsumer):
    """Takes no notice of a send that fails because the client is gone; the disconnect message comes all the same."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def caught(message: Any) -> None:
            try:
                await send(message)
            except (OSError, RuntimeError) as error:
                if not _says_gone(error):
                    raise
                logger.debug("nobody hears a %s: %r", message["type"], error)

        await super().__call__(scope, receive, caught)


def _says_gone(error: Exception) -> bool:
    """Tell an error of a client that is gone from a mistake of the app, such as a send before accept().

    The first is an OSError, as ASGI wants it (websocket, 2.4): uvicorn's ClientDisconnected. With daphne it is
    autobahn's Disconnected, a RuntimeError.
    """
    return isinstance(error, OSError) or type(error).__name__ == "Disconnected"
