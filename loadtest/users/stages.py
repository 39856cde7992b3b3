"""Stages: what stands behind the tests of a web UI, and has to look at the server before a test lets go of it."""

from typing import Any, Protocol
from weakref import WeakKeyDictionary


class Stage(Protocol):
    """What a test is audited by."""

    @property
    def hold_s(self) -> float:
        """How long silently dropped connections are held at most after everything else has ended."""

    def measured(self) -> None:
        """Be told that everything has ended but what was dropped silently; return when that may be let go of."""


_stages: "WeakKeyDictionary[Any, Stage]" = WeakKeyDictionary()


def put_stage(environment: Any, stage: Stage | None) -> None:
    """Have the tests of `environment` stand on that stage from now on; None: on none."""
    _stages.pop(environment, None)
    if stage is not None:
        _stages[environment] = stage


def stage_of(environment: Any) -> Stage | None:
    """Return the stage of the tests of `environment`, if they have one."""
    return _stages.get(environment)
