"""Toy scenario: members of small rooms greet each other, and are dropped."""

from locust import task

from loadtest.users import ChurnUser, paced

SCENARIO = {"users": 6, "rate": 2, "room_size": 3, "drops": True, "duration": 2}


class Greeter(ChurnUser):
    """A member that says something now and then."""

    path = "/ws/{consumer}/room/{room}/"
    row = "greeting"
    wait_time = paced()

    @task
    def greet(self) -> None:
        """Send a message to the room."""
        self.say()
