"""Bursts: half of the members are dropped all in one instant, as when a phone network fails, at random times."""

from locust import task

from loadtest.users import ChurnUser, paced

SCENARIO = {"users": 80, "rate": 1, "room_size": 20, "drops": True, "duration": 20}


class BurstMember(ChurnUser):
    """A member of a busy room that loses its connection together with many others."""

    path = "/ws/{consumer}/room/{room}/"
    row = "delivered"
    dropped_at_once = 0.5
    wait_time = paced()

    @task
    def talk(self) -> None:
        """Send a message to the room."""
        self.say()
