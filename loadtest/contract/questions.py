"""What the bench asks each process of a target, one question a connection to its control socket."""

import enum


class Question(str, enum.Enum):  # noqa: UP042 - a target may run Python 3.10, which has no StrEnum
    """A question, as it is written in one line; the answer is one line of JSON (see answers.py)."""

    STATUS = "status"
    """How many WebSocket scopes are open now?"""
    RESIDUE = "residue"
    """What do you still hold?"""
    LOOK = "look"
    """Look whether you are to record, begin or end, and give your status."""
    IDENTITY = "identity"
    """What are you made of: Python, packages, channel layer, database?"""
