"""What a locustfile needs: a user with a WebSocket, pacing, and drops. The only door to Locust.

Importing this adds our options to Locust's command line and web form, and starts a session with each test.
"""

from loadtest.users import lifecycle
from loadtest.users.churn import ChurnUser
from loadtest.users.pacing import paced
from loadtest.users.user import WebSocketUser

lifecycle.listen()

__all__ = ["ChurnUser", "WebSocketUser", "paced"]
