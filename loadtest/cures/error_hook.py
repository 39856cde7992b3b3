"""Error hook: calls `error(self, message)` of a consumer whatever fails in it, tells the client and cleans up.

Some tutorials say that Channels calls `error()`. It does not: an exception in connect(), receive(), a group's handler
or disconnect() ends the consumer's task there. The client gets no message, and disconnect() is not called
(`await_many_dispatch` in channels/utils.py has nothing that would). With this mixin, sync or async:

    class ChatConsumer(ErrorHook, AsyncWebsocketConsumer):
        async def error(self, message):
            await self.send(text_data=json.dumps({"error": message}))

an exception is logged with its traceback, `error()` is called, the client gets close code 1011, disconnect() is called
with that code if it has not been called yet, and clean_up() runs last of all, however the connection ends.
"""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

INTERNAL_ERROR: Final = 1011
"""The close code of a server that meets something unexpected (RFC 6455 7.4.1)."""
TOLD: Final = json.dumps({"error": "The server failed; it closes this connection."})
"""What the client gets where error() sends nothing: nothing of the exception, which may hold secrets."""

log = logging.getLogger(__name__)

_Message = MutableMapping[str, Any]
_Send = Callable[[_Message], Awaitable[None]]


class ErrorHook:
    """Mixin: stands before the consumer's class, `class Chat(ErrorHook, AsyncWebsocketConsumer)`.

    It calls two methods of the consumer where it has them, sync or async:

    - `error(message)` when something failed; `message` is the exception's class and text.
    - `clean_up()`, once and last, for what has to be undone also where disconnect() itself raises.
    """

    _is_disconnecting = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the consumer; handle what it raises."""
        client = _Client(send)
        try:
            await super().__call__(scope, receive, client.send)  # type: ignore[misc]  # of the consumer's class
        except Exception as error:
            log.exception("%s failed", type(self).__name__)
            await self._tell(client, f"{type(error).__name__}: {error}")
            if not self._is_disconnecting:
                await self._attempt("dispatch", {"type": "websocket.disconnect", "code": INTERNAL_ERROR})
                if not client.is_closed:
                    raise  # daphne takes no 1011 from a consumer, and closes with it when one raises
        finally:
            await self._attempt("clean_up")

    async def dispatch(self, message: _Message) -> None:
        """Take note of a disconnect before it is handled."""
        self._is_disconnecting = message["type"] == "websocket.disconnect"
        await super().dispatch(message)  # type: ignore[misc]

    async def _tell(self, client: "_Client", what: str) -> None:
        """Call error(), see that the client has got something, and close."""
        client.is_ending = True
        await client.accept()  # to one that is refused, nothing could be said
        sent = client.sent
        await self._attempt("error", what)
        if client.sent == sent:
            await client.send({"type": "websocket.send", "text": TOLD})
        await client.close(INTERNAL_ERROR)

    async def _attempt(self, name: str, *arguments: Any) -> None:
        """Call a method, if there is one, in the thread of handlers where it is sync; what it raises is logged."""
        method = getattr(self, name, None)
        try:
            if iscoroutinefunction(method):
                await method(*arguments)
            elif method is not None:
                await database_sync_to_async(method)(*arguments)
        except StopConsumer:  # so websocket_disconnect ends
            pass
        except Exception:
            log.exception("%s failed too, in %s", type(self).__name__, name)


class _Client:
    """What has been sent to a client: ASGI takes accept and close once, and nothing for one that is gone."""

    def __init__(self, send: _Send) -> None:
        self._send = send
        self._is_accepted = False
        self._is_gone = False
        self.is_closed = False
        """A close was sent, the consumer's own or ours."""
        self.is_ending = False
        """The consumer has failed: that the client is gone, which may be why, is no news any more."""
        self.sent = 0
        """Messages."""

    async def send(self, message: _Message) -> None:
        """Send what a consumer sends."""
        if self.is_ending and (self.is_closed or self._is_gone):
            return
        try:
            await self._send(message)
        except Exception as error:  # each server has a class of its own for it
            if not self.is_ending:
                raise
            self._is_gone = True
            log.info("the client cannot be sent %s: %s", message["type"], error or type(error).__name__)
        else:
            self._note(message["type"])

    async def accept(self) -> None:
        """Accept the connection, unless that has been done."""
        if not self._is_accepted:
            await self.send({"type": "websocket.accept"})

    async def close(self, code: int) -> None:
        """Close the connection, unless that has been done."""
        await self.send({"type": "websocket.close", "code": code})

    def _note(self, kind: str) -> None:
        match kind:
            case "websocket.accept":
                self._is_accepted = True
            case "websocket.send":
                self.sent += 1
            case "websocket.close":
                self.is_closed = True
