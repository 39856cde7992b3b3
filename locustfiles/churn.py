"""Churn: a broadcast goes on while members are dropped, one at a time at random moments, and come back."""

from locust import task

from loadtest.users import ChurnUser, paced

SCENARIO = {"users": 80, "rate": 1, "room_size": 20, "drops": True, "duration": 3.5, "default": True}


class ChurnMember(ChurnUser):
    """A member of a busy room whose connection is dropped in one of the ways of --drop-kind."""

    path = "/ws/{consumer}/room/{room}/"
    row = "delivered"
    wait_time = paced()

    @task
    def talk(self) -> None:
        """Send a message to the room."""
        self.say()
