"""The drop kinds: one module of this package each, found by its KIND; some take a parameter, as `close:4001`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache

from loadtest.discovery import kinds_in
from loadtest.drops.kind import Drop, DropError, Droppable, Stage

__all__ = ["DROPS", "Drop", "DropError", "Droppable", "Stage", "find_drop", "problem_with_drop"]


@lru_cache(maxsize=256)
def find_drop(text: str) -> Drop:
    """Return the drop of that name, with the parameter that follows it after a colon, if any.

    Raises DropError when there is none of that name or the parameter makes no sense.
    """
    name, colon, parameter = text.partition(":")
    kind = DROPS.get(name)
    if kind is None:
        raise DropError(f"unknown drop {text!r}; there are {', '.join(kind.form for kind in DROPS.values())}")
    if not colon:
        return kind
    if kind.parameter is None:
        raise DropError(f"{text!r}: the drop {name} takes nothing after its name")
    try:
        return kind.parameter.make(parameter)
    except DropError as error:
        raise DropError(f"{text!r}: {error}; write {kind.form}") from None


def problem_with_drop(text: str, *, others: Iterable[str] = ()) -> str | None:
    """Say why there is no drop of that name, or why it cannot be done on this machine; None where it can.

    `others` are names that the asker knows besides; they are told where a name is unknown.
    """
    if text.partition(":")[0] not in DROPS:
        return f"unknown drop {text!r}; there are {', '.join([*(kind.form for kind in DROPS.values()), *others])}"
    try:
        why = find_drop(text).unavailable()
    except DropError as error:
        return str(error)
    return f"the drop {text} cannot be done here: {why}" if why else None


DROPS: Mapping[str, Drop] = kinds_in(sys.modules[__name__], Drop)
"""Every drop kind by its name without a parameter, sorted."""
