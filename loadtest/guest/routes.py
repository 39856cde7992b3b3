"""Routes: what an app's URL routers have, found by looking into it: nothing of it is called, so nothing refuses."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

DEEPEST = 20
"""Applications within each other; an app that goes deeper holds itself."""


MOST = 1000
"""Things that are looked into for one path; middleware holds a few."""


def patterns(application: Any) -> list[str]:
    """Return the patterns below an application of Channels' own, as far as it can be looked into."""
    return sorted(set(_patterns(application, "", 0)))


def consumer_at(application: Any, path: str) -> Any:
    """Return the class of the consumer that a path leads to, behind whatever middleware; None where none is seen."""
    return next(_consumers(application, path.partition("?")[0], set()), None)


def _patterns(application: Any, before: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        return
    if hasattr(application, "application_mapping"):
        yield from _patterns(application.application_mapping.get("websocket"), before, depth + 1)
    elif hasattr(application, "routes"):
        for route in application.routes:
            below = list(_patterns(route.callback, f"{before}{route.pattern}", depth + 1))
            yield from below or [f"{before}{route.pattern}"]
    else:
        inner = (getattr(application, name, None) for name in ("inner", "application", "app"))
        for one in inner:
            if one is not None and not hasattr(application, "consumer_class"):
                yield from _patterns(one, before, depth + 1)


def _consumers(application: Any, path: str, seen: set[int]) -> Iterator[Any]:
    """Give consumers as `URLRouter` would reach them; of a router the first route that fits counts."""
    if id(application) in seen or len(seen) > MOST:
        return
    seen.add(id(application))
    if hasattr(application, "consumer_class"):
        yield application.consumer_class
    elif hasattr(application, "application_mapping"):
        yield from _consumers(application.application_mapping.get("websocket"), path, seen)
    elif hasattr(application, "routes"):
        fitting = ((route, match) for route in application.routes if (match := _match(route, path)))
        for route, (remaining, *_) in [*fitting][:1]:
            yield from _consumers(route.callback, remaining, seen)
    else:
        for inner in _inside(application):
            yield from _consumers(inner, path, seen)


def _match(route: Any, path: str) -> Any:
    return route.pattern.match(path.lstrip("/"))


def _inside(application: Any) -> Iterator[Callable[..., Any]]:
    """Give what middleware may pass on to: what an object, a closure or a partial call holds and can be called."""
    held = [*getattr(application, "__dict__", {}).values()]
    held += [cell.cell_contents for cell in getattr(application, "__closure__", None) or () if _is_filled(cell)]
    held += [getattr(application, "__self__", None)]
    if isinstance(application, functools.partial):
        held += [application.func, *application.args, *application.keywords.values()]
    yield from (one for one in held if callable(one) and not isinstance(one, type))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty one raises
    except ValueError:
        return False
    return True
