"""The groups in which `--help` shows the options that are keys of a plan, in the order of the help."""

from collections.abc import Mapping
from typing import Final

WHAT: Final = "What is measured"
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    WHAT: ("profile", "consumers", "layers", "scenarios", "locustfile", "servers", "workers"),
    "Load": ("users", "load", "load_of", "rate", "arrivals", "room_size", "payload_size", "work", "blocker_work"),
    "What is searched for": ("of", "keep", "searches", "resolution"),
    "Drops": ("drops", "drop_share", "mix_drops", "offline", "settle", "server_ping"),
    "Time and trials": ("trials", "repeats", "twins", "seed", "warm_up", "duration", "drain"),
    "What users say": (
        "message",
        "join",
        "expect",
        "ack",
        "message_form",
        "reaches",
        "push",
        "ping_message",
        "ping_every",
    ),
    "The machine": ("pin", "allow_contention", "port"),
    "The verdict": ("fail_on",),
}


def group_of(key: str) -> str:
    """Return the group of a key; one that is named in none is of what is measured, as that of a new dimension."""
    return next((group for group, keys in GROUPS.items() if key in keys), WHAT)
