"""The project's ASGI application, in the probe's wrapper."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chat.settings")
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from chat.consumers import routes  # noqa: E402
from loadtest.probe import Probe  # noqa: E402

application = Probe(ProtocolTypeRouter({"websocket": URLRouter(routes())}))
