"""Asking: the stage's process, as Locust's process has it."""

import json
import os
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from loadtest.stack.dialogue import Dialogue
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.webui import BROKERS
from loadtest.webui.beside_locust.guard import PASSWORD

ANSWER_S: Final = 300.0
"""A target is up in some seconds, and a server has up to a minute to notice silent drops; then a report is written."""
END_S: Final = 10.0
"""A target gets 5 s to end."""


class StageError(Exception):
    """The stage could not do what it was asked to; the message is for the person."""


class StageProcess:
    """The stage; one question at a time, others wait."""

    def __init__(self, *, out: Path, port: int, brokers: str) -> None:
        """Start it; `brokers` are the addresses of the user's own, as JSON. EnvironmentFailed when it cannot be."""
        self._closing = ExitStack()
        folder = self._closing.enter_context(short_folder())
        command = [sys.executable, "-m", "loadtest.webui.stage", str(out), str(port)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_") and name != PASSWORD}
        env[BROKERS] = brokers
        self._dialogue = Dialogue(command, name="the stage", log=folder / "stage.log", env=env, cwd=Path.cwd())
        self._asking = threading.Lock()
        self._is_closed = False

    def ask(self, do: str, **given: Any) -> Any:
        """Have it do something, and return what it tells. Raises StageError."""
        with self._asking:
            try:
                told = json.loads(self._dialogue.ask(json.dumps({"do": do, **given}), within_s=ANSWER_S))
            except EnvironmentFailed as error:
                raise StageError(str(error)) from None
        if "error" in told:
            raise StageError(told["error"])
        return told["ok"]

    def close(self) -> None:
        """Have it end, and what it runs with it; may be called again."""
        if not self._is_closed:
            self._is_closed = True
            self._dialogue.end(within_s=END_S)
            self._closing.close()
