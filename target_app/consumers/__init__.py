"""The consumers there are, one row each; their modules need Django set up and are imported when routes are made."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from target_app.consumers.expiry import PRESENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One way to write the same two consumers; `default` says whether a plan that names none takes it."""

    name: str
    summary: str
    kind: Literal["sync", "async"]
    variant_of: str = ""
    """The consumer that it is the same as but for one thing, and is compared with."""
    expires_s: float = 0.0
    """Its presence expires by itself so long after its last connection has ended; 0: it stays."""
    default: bool
    module: str

    def echo(self) -> type[Any]:
        """Return the class that answers each message."""
        return self._class("EchoConsumer")

    def room(self) -> type[Any]:
        """Return the class that passes each message on to all members of a room."""
        return self._class("RoomConsumer")

    def _class(self, name: str) -> type[Any]:
        cls: type[Any] = getattr(import_module(self.module), name)
        return cls


CONSUMERS = (
    Consumer(
        name="sync",
        summary="WebsocketConsumer as the tutorial teaches it: handlers run in the process's one sync thread",
        kind="sync",
        default=True,
        module="target_app.consumers.sync",
    ),
    Consumer(
        name="async",
        summary="AsyncWebsocketConsumer as the tutorial teaches it: handlers run on the event loop",
        kind="async",
        default=True,
        module="target_app.consumers.async_",
    ),
    Consumer(
        name="sync-guarded",
        summary="sync, with disconnect() also called when the consumer's task ends without it",
        kind="sync",
        variant_of="sync",
        default=False,
        module="target_app.consumers.sync_guarded",
    ),
    Consumer(
        name="async-guarded",
        summary="async, with disconnect() also called when the consumer's task ends without it",
        kind="async",
        variant_of="async",
        default=False,
        module="target_app.consumers.async_guarded",
    ),
    Consumer(
        name="sync-caught",
        summary="sync, with sends to a client that is gone caught, so that the task lives on",
        kind="sync",
        variant_of="sync",
        default=False,
        module="target_app.consumers.sync_caught",
    ),
    Consumer(
        name="async-caught",
        summary="async, with sends to a client that is gone caught, so that the task lives on",
        kind="async",
        variant_of="async",
        default=False,
        module="target_app.consumers.async_caught",
    ),
    Consumer(
        name="sync-heartbeat",
        summary="sync, with presence that expires unless a heartbeat prolongs it, and a group that is joined again",
        kind="sync",
        variant_of="sync",
        expires_s=PRESENCE_S,
        default=False,
        module="target_app.consumers.sync_heartbeat",
    ),
    Consumer(
        name="async-heartbeat",
        summary="async, with presence that expires unless a heartbeat prolongs it, and a group that is joined again",
        kind="async",
        variant_of="async",
        expires_s=PRESENCE_S,
        default=False,
        module="target_app.consumers.async_heartbeat",
    ),
)
