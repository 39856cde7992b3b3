"""What the parts of the probe share: whether they are wanted at all, and how things are written into a record."""

import os
from typing import Protocol

from loadtest.contract import LEDGER_VARIABLE
from loadtest.contract.elsewhere import TOKEN_VARIABLE

NO_CONNECTION = 0
"""In records of the whole process."""


class Ledger(Protocol):
    """Takes in what happens to connections: a `Recorder` writes it down, `counting` counts some of it."""

    def record(
        self, event: int, connection: int, code: int = 0, argument: int = 0, value: int = 0, time_ns: int = 0
    ) -> None:
        """Take in one event; the fields are those of `loadtest.ledger.record`."""

    def record_text(self, event: int, connection: int, text: str) -> None:
        """Take in one event with a text; "" where there is none."""


def is_recording() -> bool:
    """Tell whether this process is asked to keep a ledger from its start."""
    return bool(os.environ.get(LEDGER_VARIABLE))


def is_wanted() -> bool:
    """Tell whether this process is asked to keep a ledger, or may be asked for one while it runs."""
    return is_recording() or bool(os.environ.get(TOKEN_VARIABLE))


def recorded_code(code: object) -> int:
    """Return a close code as a record holds it; what is no such number, and would break the record, is 0."""
    return code if isinstance(code, int) and 0 <= code < 2**16 else 0


def class_name(thing: object) -> str:
    """Return the full name of the class of an exception or a consumer."""
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
