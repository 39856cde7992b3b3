"""JSON-RPC: an app of your own whose calls have a result, and which tells a room's members by notifications."""

import json
from itertools import count
from typing import Any

from locust import task

from loadtest.users import ChurnUser, paced

SCENARIO = {"users": 20, "rate": 1, "room_size": 10, "drops": True}
JOIN_ID = 0


class RpcMember(ChurnUser):
    """A member of a room that is dropped and comes back."""

    row = "delivered"
    wait_time = paced()

    def __init__(self, environment: Any) -> None:
        """Number the calls."""
        super().__init__(environment)
        self.ids = count(JOIN_ID + 1)

    def joining(self) -> list[str]:
        """Call `join`, on each connection."""
        return [self.call("join", {"room": f"team{self.room}"}, JOIN_ID)]

    def is_joined(self, frame: str | bytes) -> bool:
        """Tell whether a frame is the result of that call."""
        return json.loads(frame).get("id") == JOIN_ID

    def encode(self, marker: str) -> str:
        """Make a call of `say`."""
        return self.call("say", {"text": marker}, next(self.ids))

    def find(self, frame: str | bytes) -> str | None:
        """Take notifications for messages: what has an id acknowledges a call, and may repeat what was said."""
        content = json.loads(frame)
        return None if "id" in content else super().find(content["params"]["text"])

    def call(self, method: str, params: dict[str, str], number: int) -> str:
        """Return a call as JSON-RPC 2.0 has it."""
        return json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": number})

    @task
    def talk(self) -> None:
        """Send a message to the room."""
        self.say()
