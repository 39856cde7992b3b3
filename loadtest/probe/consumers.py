"""Consumers: records when a consumer starts and when its disconnect() is entered, returns or raises.

disconnect() is wrapped on the instance, when the consumer is called: this sees the method that really runs, whatever
subclass or mixin it came from, once, and leaves the classes as the user wrote them.
"""

import functools
from typing import Any

from channels.consumer import AsyncConsumer, SyncConsumer

from loadtest.ledger import Event
from loadtest.probe.handling import Handling, current_handling, recorded_dispatch
from loadtest.probe.recording import class_name, recorded_code


def watch() -> None:
    """Watch every consumer of the process (SyncConsumer inherits AsyncConsumer's __call__)."""
    call = AsyncConsumer.__call__

    @functools.wraps(call)
    async def recorded_call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        handling = current_handling.get()
        if handling is not None:
            handling.ledger.record_text(Event.CONSUMER, handling.connection, class_name(self))
            _watch_disconnect(self, handling)
            self.dispatch = recorded_dispatch(self.dispatch, handling)
        await call(self, scope, receive, send)

    AsyncConsumer.__call__ = recorded_call


def _watch_disconnect(consumer: Any, handling: Handling) -> None:
    disconnect = getattr(consumer, "disconnect", None)
    if disconnect is None:
        return  # not one of the generic consumers
    wrapped = _recorded_sync if isinstance(consumer, SyncConsumer) else _recorded_async
    consumer.disconnect = wrapped(disconnect, handling)


def _recorded_async(disconnect: Any, handling: Handling) -> Any:
    @functools.wraps(disconnect)
    async def recorded(*arguments: Any, **named: Any) -> Any:
        with _Disconnect(handling, *arguments, *named.values()):
            return await disconnect(*arguments, **named)

    return recorded


def _recorded_sync(disconnect: Any, handling: Handling) -> Any:
    @functools.wraps(disconnect)
    def recorded(*arguments: Any, **named: Any) -> Any:
        with _Disconnect(handling, *arguments, *named.values()):
            return disconnect(*arguments, **named)

    return recorded


class _Disconnect:
    """Records entering on the way in, and returned or raised on the way out."""

    def __init__(self, handling: Handling, code: Any = None, *_: Any) -> None:
        self._handling = handling
        handling.ledger.record(Event.DISCONNECT_ENTERED, handling.connection, code=recorded_code(code))

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        ledger, connection = self._handling.ledger, self._handling.connection
        if error is None:
            ledger.record(Event.DISCONNECT_RETURNED, connection)
        else:
            ledger.record_text(Event.DISCONNECT_RAISED, connection, class_name(error))
