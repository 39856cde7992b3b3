"""Blocker: one connection's handler blocks again and again (--blocker-work) while all others echo and are measured."""

from locust import constant, task

from loadtest.users import WebSocketUser, paced

SCENARIO = {"users": 21, "rate": 10, "room_size": 1, "drops": False}


class Blocker(WebSocketUser):
    """The one whose handler blocks, a second after it has answered; its own messages are not measured."""

    row = "blocker"
    fixed_count = 1
    wait_time = constant(1)

    @property
    def handler_work(self) -> str:
        """Take the work that blocks, whatever the others' is."""
        return self.session.load.blocker_work

    @task
    def block(self) -> None:
        """Send a message whose handler blocks, and wait for its end."""
        self.stay_open()
        self.ws.ask('{"message": "block"}')


class Bystander(WebSocketUser):
    """One of the others: what it sends comes back as late as the blocker makes it."""

    row = "echo"
    wait_time = paced()

    @task
    def echo(self) -> None:
        """Send a message as planned, whether or not the one before has come back."""
        self.say()
