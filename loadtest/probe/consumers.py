"""Consumers: records when a consumer starts and when its disconnect() is entered, returns or raises.

disconnect() is wrapped on the instance, when the consumer is called: this sees the method that really runs, whatever
subclass or mixin it came from, once, and leaves the classes as the user wrote them.
"""

import functools
from typing import Any

from channels.consumer import AsyncConsumer, SyncConsumer

from loadtest.ledger import Event
from loadtest.probe.handling import current_handling, recorded_dispatch
from loadtest.probe.recording import class_name, recorded_code, recorder


def watch() -> None:
    """Watch every consumer of the process (SyncConsumer inherits AsyncConsumer's __call__)."""
    call = AsyncConsumer.__call__

    @functools.wraps(call)
    async def recorded_call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        handling = current_handling.get()
        if handling is not None:
            ledger = recorder()
            ledger.record(Event.CONSUMER, handling.connection, argument=ledger.text(class_name(self)))
            _watch_disconnect(self, handling.connection)
            self.dispatch = recorded_dispatch(self.dispatch, handling)
        await call(self, scope, receive, send)

    AsyncConsumer.__call__ = recorded_call


def _watch_disconnect(consumer: Any, connection: int) -> None:
    disconnect = getattr(consumer, "disconnect", None)
    if disconnect is None:
        return  # not one of the generic consumers
    wrapped = _recorded_sync if isinstance(consumer, SyncConsumer) else _recorded_async
    consumer.disconnect = wrapped(disconnect, connection)


def _recorded_async(disconnect: Any, connection: int) -> Any:
    @functools.wraps(disconnect)
    async def recorded(*arguments: Any, **named: Any) -> Any:
        with _Disconnect(connection, *arguments, *named.values()):
            return await disconnect(*arguments, **named)

    return recorded


def _recorded_sync(disconnect: Any, connection: int) -> Any:
    @functools.wraps(disconnect)
    def recorded(*arguments: Any, **named: Any) -> Any:
        with _Disconnect(connection, *arguments, *named.values()):
            return disconnect(*arguments, **named)

    return recorded


class _Disconnect:
    """Records entering on the way in, and returned or raised on the way out."""

    def __init__(self, connection: int, code: Any = None, *_: Any) -> None:
        self._connection = connection
        recorder().record(Event.DISCONNECT_ENTERED, connection, code=recorded_code(code))

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        ledger = recorder()
        if error is None:
            ledger.record(Event.DISCONNECT_RETURNED, self._connection)
        else:
            ledger.record(Event.DISCONNECT_RAISED, self._connection, argument=ledger.text(class_name(error)))
