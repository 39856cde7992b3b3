"""The opening request with which an app is asked for its paths before it is measured, as text in the environment."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What it has besides what every handshake has."""

    headers: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """May hold secrets."""
    origin: str = ""
    """Empty: the app's own address."""
    subprotocols: list[str] = field(default_factory=list)
    is_let_in_later: bool = False
    """Where it is refused now, a trial may be let in: its users sign in, or are made, in a database of the trial's."""


def write_opening(opening: Opening) -> str:
    """Return the text."""
    return json.dumps(asdict(opening))


def read_opening(text: str) -> Opening:
    """Return what a text holds; of an empty one nothing."""
    said = json.loads(text or "{}")
    return Opening(**{**said, "headers": [(name, value) for name, value in said.get("headers", ())]})
