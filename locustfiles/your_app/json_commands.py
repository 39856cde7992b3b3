"""JSON commands: an app of your own that takes `join` and `say`, and answers `joined` before a member gets anything."""

import json

from locust import task

from loadtest.users import ChurnUser, paced

SCENARIO = {"users": 20, "rate": 1, "room_size": 10, "drops": True}


class CommandMember(ChurnUser):
    """A member of a room that is dropped and comes back."""

    row = "delivered"
    wait_time = paced()

    def joining(self) -> list[str]:
        """Say which room is meant, on each connection."""
        return [json.dumps({"command": "join", "room": f"team{self.room}"})]

    def is_joined(self, frame: str | bytes) -> bool:
        """Tell whether that was answered: what was said before is not for this member."""
        return json.loads(frame)["event"] == "joined"

    def encode(self, marker: str) -> str:
        """Make a message."""
        return json.dumps({"command": "say", "text": marker})

    @task
    def talk(self) -> None:
        """Send a message to the room."""
        self.say()
