"""The routes of the tutorials' consumers, below `websocket/` by a router of its own."""

from channels.routing import URLRouter
from django.urls import URLPattern, path, re_path

from target_app.tutorial import PREFIX, TUTORIAL, Tutorial


def _route(row: Tutorial, below: str = "") -> URLPattern:
    """Return the route of a consumer, as it is written behind the prefix of a router."""
    return re_path(row.pattern(below), row.consumer().as_asgi())


websocket_urlpatterns = [
    # Django's include() cannot be used here: URLRouter refuses it (channels/routing.py)
    path(PREFIX, URLRouter([_route(row, PREFIX) for row in TUTORIAL if row.route.startswith(PREFIX)])),
    *(_route(row) for row in TUTORIAL if not row.route.startswith(PREFIX)),
]
