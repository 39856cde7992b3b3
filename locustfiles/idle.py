"""Idle: quiet connections in rooms where nobody says anything; whoever goes, goes unasked."""

from locust import constant, task

from loadtest.users import WebSocketUser

SCENARIO = {"users": 50, "rate": 0, "room_size": 10, "drops": False, "duration": 12}


class IdleUser(WebSocketUser):
    """A member that listens; when its connection has gone, it opens another one within a second."""

    path = "/ws/{consumer}/room/{room}/"
    row = "heard"
    wait_time = constant(1)

    @task
    def listen(self) -> None:
        """Say nothing."""
        self.stay_open()
