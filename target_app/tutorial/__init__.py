"""The consumers that tutorials teach, one row each, on the tutorials' own routes; docs/tutorials.md tells of each.

Their modules need Django set up and are imported when routes are made.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

ROOM_NAME = r"(?P<room_name>\w+)"
"""As Channels' own tutorial and those after it have it: letters of any alphabet, digits and the underscore."""
PREFIX = "websocket/"
"""Below it are the routes of a nested router (see routing.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tutorial:
    """One consumer that tutorials teach."""

    name: str
    summary: str
    kind: Literal["sync", "async"]
    variant_of: str = ""
    """The consumer that it is the same as but for one thing, and is compared with."""
    route: str
    """Without the slash in front, as a route is written; <room_name> stands for the name of a room."""
    module: str
    cls: str
    answers_alone: bool
    """Its answers go to the sender alone, also where its route names a room; else to everybody in the room."""
    takes: Literal["json", "text"]
    """What it is sent: {"message": ...}, or any text."""
    is_signed_in: bool = False
    """It lets in only who is signed in."""

    @property
    def path(self) -> str:
        """Its path as the bench fills it in: {room} stands for the number of a room."""
        return "/" + self.route.replace("<room_name>", "{room}")

    def pattern(self, below: str = "") -> str:
        """Return its route below a prefix, as a regular expression."""
        return f"^{self.route.removeprefix(below).replace('<room_name>', ROOM_NAME)}$"

    def consumer(self) -> type[Any]:
        """Return the class."""
        cls: type[Any] = getattr(import_module(f"{__name__}.{self.module}"), self.cls)
        return cls


def _echo(prefix: str, name: str, says: str) -> tuple[Tutorial, ...]:
    return (
        Tutorial(
            name=f"tutorial-{name}-async",
            summary=f"async echo at {prefix}ws/myapp/{says}",
            kind="async",
            route=f"{prefix}ws/myapp/",
            module="echo",
            cls="AsyncEchoConsumer",
            answers_alone=True,
            takes="json",
        ),
        Tutorial(
            name=f"tutorial-{name}-sync",
            summary=f"sync echo at {prefix}ws/myapp/sync/{says}",
            kind="sync",
            route=f"{prefix}ws/myapp/sync/",
            module="echo",
            cls="EchoConsumer",
            answers_alone=True,
            takes="json",
        ),
    )


TUTORIAL = (
    *_echo("", "echo", ": answers the sender with its own message"),
    *_echo(PREFIX, "prefixed", ": a prefix, by a nested router"),
    Tutorial(
        name="tutorial-chat-sync",
        summary=(
            'sync chat at ws/chat/<room_name>/: says {"message": "Connected"}, then "Echo: <text>" to the sender alone'
        ),
        kind="sync",
        route="ws/chat/<room_name>/",
        module="chat",
        cls="ChatConsumer",
        answers_alone=True,
        takes="text",
    ),
    Tutorial(
        name="tutorial-chat-async",
        summary=(
            'async chat at ws/chat/async/<room_name>/: says {"message": "Connected"}, '
            'then "Echo: <text>" to the sender alone'
        ),
        kind="async",
        route="ws/chat/async/<room_name>/",
        module="chat",
        cls="AsyncChatConsumer",
        answers_alone=True,
        takes="text",
    ),
    Tutorial(
        name="tutorial-received-async",
        summary='async, at ws/: answers "Received: <text>"',
        kind="async",
        route="ws/",
        module="received",
        cls="AsyncReceivedConsumer",
        answers_alone=True,
        takes="text",
    ),
    Tutorial(
        name="tutorial-received-sync",
        summary='sync, at ws/sync/: answers "Received: <text>"',
        kind="sync",
        route="ws/sync/",
        module="received",
        cls="ReceivedConsumer",
        answers_alone=True,
        takes="text",
    ),
    Tutorial(
        name="tutorial-no-connect-sync",
        summary="sync, without connect(): everybody is accepted",
        kind="sync",
        route="ws/no-connect/",
        module="no_connect",
        cls="NoConnectConsumer",
        answers_alone=True,
        takes="text",
    ),
    Tutorial(
        name="tutorial-no-connect-async",
        summary="async, without connect(): everybody is accepted",
        kind="async",
        route="ws/no-connect/async/",
        module="no_connect",
        cls="AsyncNoConnectConsumer",
        answers_alone=True,
        takes="text",
    ),
    Tutorial(
        name="tutorial-signed-in-async",
        summary="async, lets in who is signed in, and refuses everybody else by close() before accept()",
        kind="async",
        route="ws/signed-in/",
        module="signed_in",
        cls="AsyncSignedInConsumer",
        answers_alone=True,
        takes="text",
        is_signed_in=True,
    ),
    Tutorial(
        name="tutorial-signed-in-sync",
        summary="sync, lets in who is signed in, and refuses everybody else by close() before accept()",
        kind="sync",
        route="ws/signed-in/sync/",
        module="signed_in",
        cls="SignedInConsumer",
        answers_alone=True,
        takes="text",
        is_signed_in=True,
    ),
    Tutorial(
        name="tutorial-offline-async",
        summary="async room whose disconnect() logs the code, leaves the group and marks the user offline",
        kind="async",
        route="ws/offline/<room_name>/",
        module="offline",
        cls="AsyncOfflineConsumer",
        answers_alone=False,
        takes="json",
    ),
    Tutorial(
        name="tutorial-offline-sync",
        summary="sync room whose disconnect() logs the code, leaves the group and marks the user offline",
        kind="sync",
        route="ws/offline/sync/<room_name>/",
        module="offline",
        cls="OfflineConsumer",
        answers_alone=False,
        takes="json",
    ),
    Tutorial(
        name="tutorial-error-async",
        summary="async room with error(self, message), which tutorials say is called; nothing calls it",
        kind="async",
        variant_of="tutorial-offline-async",
        route="ws/error/<room_name>/",
        module="error",
        cls="AsyncErrorConsumer",
        answers_alone=False,
        takes="json",
    ),
    Tutorial(
        name="tutorial-error-sync",
        summary="sync room with error(self, message), which tutorials say is called; nothing calls it",
        kind="sync",
        variant_of="tutorial-offline-sync",
        route="ws/error/sync/<room_name>/",
        module="error",
        cls="ErrorConsumer",
        answers_alone=False,
        takes="json",
    ),
    Tutorial(
        name="tutorial-error-hook-async",
        summary="async room with error(), and the mixin ErrorHook that calls it and cleans up",
        kind="async",
        variant_of="tutorial-error-async",
        route="ws/error-hook/<room_name>/",
        module="error",
        cls="AsyncHookedConsumer",
        answers_alone=False,
        takes="json",
    ),
    Tutorial(
        name="tutorial-error-hook-sync",
        summary="sync room with error(), and the mixin ErrorHook that calls it and cleans up",
        kind="sync",
        variant_of="tutorial-error-sync",
        route="ws/error-hook/sync/<room_name>/",
        module="error",
        cls="HookedConsumer",
        answers_alone=False,
        takes="json",
    ),
)

BY_NAME = {row.name: row for row in TUTORIAL}
