"""Idle: open connections without messages; every one that ends is counted as ended unexpectedly."""

from locust import constant, task

from loadtest.users import WebSocketUser

SCENARIO = {"users": 50, "rate": 0, "room_size": 10, "drops": False, "duration": 12}


class IdleUser(WebSocketUser):
    """A member that listens; when its connection has ended, it opens another one within a second."""

    path = "/ws/{consumer}/room/{room}/"
    row = "heard"
    wait_time = constant(1)

    @task
    def listen(self) -> None:
        """Say nothing."""
        self.stay_open()
