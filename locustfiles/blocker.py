"""Blocker: one connection's handler blocks again and again (--blocker-work) while all others echo and are measured."""

from locust import constant, task

from loadtest.users import WebSocketUser, paced

SCENARIO = {"users": 21, "rate": 10, "room_size": 1, "drops": False, "uses_layer": False}


class Blocker(WebSocketUser):
    """One user whose handler blocks; a second after each answer it asks again. Its own messages are not measured."""

    path = "/ws/{consumer}/echo/"
    row = "blocker"
    fixed_count = 1
    wait_time = constant(1)

    @property
    def handler_work(self) -> str:
        """Use the blocking work, whatever work the others have."""
        return self.session.load.blocker_work

    @task
    def block(self) -> None:
        """Send a message whose handler blocks, and wait for its end."""
        self.stay_open()
        self.ws.ask('{"message": "block"}')


class Bystander(WebSocketUser):
    """One of the others: its echoes come back late while the blocker's handler blocks."""

    path = "/ws/{consumer}/echo/"
    row = "echo"
    wait_time = paced()

    @task
    def echo(self) -> None:
        """Send a message as planned, whether or not the one before has come back."""
        self.say()
