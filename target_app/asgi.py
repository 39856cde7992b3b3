"""The ASGI application: HTTP to Django, WebSockets to the consumers, all of it seen by the probe.

METRICS_ROUTE    an HTTP path that shows the probe's Prometheus metrics, such as /metrics; default: there are none
"""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "target_app.settings")
django_application = get_asgi_application()  # first: it sets up Django, which what follows imports from

from loadtest.probe import Probe  # noqa: E402
from target_app.routing import websocket_urlpatterns  # noqa: E402

application = Probe(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
        }
    ),
    route=os.environ.get("METRICS_ROUTE", ""),
)
