"""Echo: each user sends a message and waits for its answer."""

from locust import task

from loadtest.users import WebSocketUser, paced

SCENARIO = {"users": 50, "rate": 0, "room_size": 1, "drops": False, "duration": 2, "uses_layer": False, "default": True}


class EchoUser(WebSocketUser):
    """A user alone with the server."""

    path = "/ws/{consumer}/echo/"
    row = "echo"
    wait_time = paced()

    @task
    def echo(self) -> None:
        """Send a message and wait for its answer; its latency counts from the planned time."""
        self.ws.request(self.message())
