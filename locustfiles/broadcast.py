"""Broadcast: rooms in which each member's message goes to every member, at a planned rate."""

from locust import task

from loadtest.users import WebSocketUser, paced

SCENARIO = {"users": 50, "rate": 2, "room_size": 10, "drops": False, "default": True}


class BroadcastUser(WebSocketUser):
    """A member of a room (--room-size) that sends and receives."""

    path = "/ws/{consumer}/room/{room}/"
    row = "delivered"
    wait_time = paced()

    @task
    def talk(self) -> None:
        """Send a message to the room."""
        self.say()
