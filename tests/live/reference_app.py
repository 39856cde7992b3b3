"""The reference app for tests: on uvicorn and in memory, unless a test wants it otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtest.layers import LAYERS
from loadtest.servers import SERVERS
from loadtest.targets import Setting
from loadtest.targets.database import Database
from loadtest.targets.reference import RunningReference
from loadtest.targets.served import READY_S


def reference_app(
    *,
    folder: Path,
    database: Database,
    env: Mapping[str, str] | None = None,
    ready_s: float = READY_S,
    **setting: Any,
) -> RunningReference:
    """Return the app, to be entered; what is in `setting` are Setting's arguments."""
    folder.mkdir(exist_ok=True)
    defaults = {"server": SERVERS["uvicorn"], "layer": LAYERS["inmemory"], "folder": folder}
    return RunningReference(Setting(**{**defaults, **setting}), database=database, env=env, ready_s=ready_s)
