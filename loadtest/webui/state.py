"""State: what the stage shows of its test and its comparison; a file of JSON, written by the stage and read beside
Locust.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

Row = Mapping[str, str]
"""A row of a tab: a text for each of its headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedDrop:
    """One dropped connection whose disconnect() was never entered."""

    connection: int
    kind: str
    t_s: float
    """When it was dropped, in seconds from the start of the part that counts."""
    cause: str | None
    ended_by: str | None
    """The exception that ended its task, where one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonState:
    """How a comparison goes, or went."""

    is_running: bool
    command: str
    """The command that it is; nothing secret is on it."""
    says: tuple[str, ...]
    """The last lines that it has printed."""
    ended: str = ""
    """How it ended; empty while it runs."""
    run: str = ""
    """The name of its folder, once it has ended and a report is in there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What there is to show by now; of the newest test, if there was one."""

    stage: Literal["idle", "running", "settling", "audited", "abandoned"] = "idle"
    says: str = ""
    """What a person should know besides."""
    folder: str = ""
    """The test's folder, an absolute path."""
    run: str = ""
    """The name of that folder."""
    drops: tuple[str, ...] = ()
    """The ways in which the test's members can be dropped."""
    tabs: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """By the key of the tab; empty before anything counts."""
    missed: tuple[MissedDrop, ...] = ()
    """The newest first, and not all of them."""
    missed_count: int = 0
    chart: tuple[Mapping[str, Any], ...] = ()
    """The newest rows of timeline.csv, as that has them."""
    files: str = ""
    """The folder with the CSV files; empty before there are any."""
    verdict: str = ""
    findings: tuple[str, ...] = ()
    """Both of an audited test."""
    comparison: ComparisonState | None = None


_JSON: Final = TypeAdapter(State)


def write_state(state: State, path: Path) -> None:
    """Write it in one step: whoever reads the file meanwhile reads the old one."""
    new = path.with_suffix(".part")
    new.write_bytes(_JSON.dump_json(state))
    new.replace(path)


def read_state(path: Path) -> State:
    """Return what `write_state` wrote; raises OSError."""
    return _JSON.validate_json(path.read_bytes())
