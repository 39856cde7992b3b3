"""The WebSocket routes: `ws/<consumer>/echo/` and `ws/<consumer>/room/<room_name>/` for every consumer there is.

Consumers with a planted defect have a room only; those of tutorials have the tutorials' own routes.
"""

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from target_app.consumers import CONSUMERS
from target_app.planted import PLANTED
from target_app.tutorial.routing import websocket_urlpatterns as tutorial_urlpatterns

ROOM_NAME = r"(?P<room_name>[A-Za-z0-9_.-]{1,80})"
"""What a channel layer takes in a group's name, and short enough for its limit of 99 with our `chat_` in front."""


class NotFound(AsyncWebsocketConsumer):
    """Refuses a path that is none of ours; without it the server would answer 500 and log a traceback."""

    async def connect(self) -> None:
        """Close before accepting: the client sees HTTP 403."""
        await self.close()


websocket_urlpatterns = [
    *(path(f"ws/{row.name}/echo/", row.echo().as_asgi()) for row in CONSUMERS),
    *(re_path(rf"^ws/{row.name}/room/{ROOM_NAME}/$", row.room().as_asgi()) for row in CONSUMERS),
    *(
        re_path(rf"^ws/{row.consumer(kind)}/room/{ROOM_NAME}/$", row.room(kind).as_asgi())
        for row in PLANTED
        for kind in row.kinds
    ),
    *tutorial_urlpatterns,
    re_path(r"", NotFound.as_asgi()),
]
