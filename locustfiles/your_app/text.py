"""Text: an app of your own that takes plain lines, `room 1` and then `say ...`, and passes on what follows `say`."""

from locust import task

from loadtest.users import ChurnUser, paced

SCENARIO = {"users": 20, "rate": 1, "room_size": 10, "drops": True}


class TextMember(ChurnUser):
    """A member of a room that is dropped and comes back."""

    row = "delivered"
    wait_time = paced()

    def joining(self) -> list[str]:
        """Say which room is meant, on each connection."""
        return [f"room {self.room}"]

    def encode(self, marker: str) -> str:
        """Make a message; whatever the app makes of it, the marker has to come back in it."""
        return f"say {marker}"

    @task
    def talk(self) -> None:
        """Send a message to the room."""
        self.say()
