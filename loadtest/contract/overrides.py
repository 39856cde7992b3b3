"""What an app of the user's own finds changed in its Django settings while it is measured, as one line of JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What is changed; None: nothing."""

    database_folder: str | None = None
    """Where each database is an SQLite file of its alias's name."""
    channel_layers: Mapping[str, Any] | None = None
    """By alias, as in CHANNEL_LAYERS; other aliases stay."""
    broker_url: str | None = None
    """Where each channel layer of channels_redis finds its broker; all else of it stays."""
    allowed_host: str | None = None
    """A name that is added to ALLOWED_HOSTS."""
    has_quick_passwords: bool = False
    """Passwords are hashed by a hasher that takes no time, as Django advises for tests: for databases that are thrown
    away."""
    presence: str | None = None
    """What tells who is online, for the probe (see loadtest/probe/presence.py)."""


def write_overrides(overrides: Overrides) -> str:
    """Return the text that carries them."""
    return json.dumps(asdict(overrides))


def read_overrides(text: str) -> Overrides:
    """Return what a text carries; raises ValueError or TypeError when it is not one of `write_overrides`."""
    return Overrides(**json.loads(text))
