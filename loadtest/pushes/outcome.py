"""Outcome: what came of a push, in words that are the same for pushes that failed alike."""

from dataclasses import dataclass
from typing import Final, Literal

from loadtest.load.markers import find_marker
from loadtest.load.talk import MARKER

LONGEST: Final = 120
"""Letters of what came back: enough for an app's own message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one push."""

    kind: Literal["ok", "fail", "unknown"]
    """Unknown: it may have been carried out or not."""
    said: str
    """What came back: "HTTP 404 Not Found: no such topic", "exit code 1: no such topic"."""


def with_words(what: str, text: str) -> str:
    """Return what came back with the line of text that tells more; without one where there is none to be read."""
    line = text.strip()
    if not line or line.startswith("<"):  # a page for a browser
        return what
    marker = find_marker(line)
    shown = line.replace(marker, MARKER) if marker else line
    shown = " ".join(shown.split()).replace(";", ",")
    return f"{what}: {shown[:LONGEST]}"
