"""Inspection: what an app is, told before it is measured: `python -m loadtest.guest.inspection FILE PATH...`.

The app is imported, and asked for each path with a scope as a server makes it, up to where a consumer of Channels would
begin. So a path is found through whatever middleware and nested routers the app has, and no consumer runs. Where users
are let in only later, when there are rows of theirs in a database, it is looked up behind what refuses.
"""

import asyncio
import os
import platform
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtest.contract.inspection import FoundPath, Inspection, write_inspection
from loadtest.contract.opening import Opening, read_opening
from loadtest.contract.packages import installed_packages
from loadtest.contract.variables import APPLICATION_VARIABLE, OPENING_VARIABLE
from loadtest.guest.broker import addresses
from loadtest.guest.loading import load_application
from loadtest.guest.routes import consumer_at, patterns

OLDEST = {"django": (4, 2), "channels": (4, 0)}
"""What the probe needs, and the first versions that it works with."""
REACHED_S = 10.0
"""Middleware may look something up on the way to the consumer; one that takes longer than this hangs."""
_REFUSED = (
    "the connection was refused before a consumer of Channels began: "
    "by an origin, a header or a login that is asked for"
)
_NO_ROUTE = "No route found"
"""So begins what URLRouter of Channels raises."""


class _ConsumerBegins(BaseException):
    """A consumer has been reached; no middleware is to take it for an error of its own."""


def main() -> None:
    """Write what was found of the app in LOADTEST_APPLICATION, and of the paths, into the file."""
    file, *paths = sys.argv[1:]
    Path(file).write_text(write_inspection(inspect(os.environ[APPLICATION_VARIABLE], paths)))


def inspect(name: str, paths: list[str]) -> Inspection:
    """Return what is found; where something is missing or the app cannot be imported, that is the problem."""
    found = Inspection(python=platform.python_version(), packages=installed_packages())
    if problem := _lacking(found.packages):
        return replace(found, problem=problem)
    try:
        application = load_application(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the app raises, it cannot be imported
        return replace(found, problem=_why_not_imported(name, error))
    if not callable(application):
        return replace(found, problem=f"{name} is no ASGI application, but a {type(application).__name__}")
    try:
        return _inspect_app(found, application, paths)
    except Exception as error:  # noqa: BLE001 - settings are the app's own code
        return replace(found, problem=f"its Django settings cannot be used: {_told(error)}")


def _lacking(packages: Mapping[str, str]) -> str:
    """Say what is missing or too old; "" where nothing is."""
    missing = [name for name in OLDEST if name not in packages]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    old = [name for name, least in OLDEST.items() if _numbers(packages[name]) < least]
    told = " and ".join(f"{name} {packages[name]} is older than {'.'.join(map(str, OLDEST[name]))}" for name in old)
    return f"{told}, which the probe needs" if old else ""


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _inspect_app(found: Inspection, application: Any, paths: list[str]) -> Inspection:
    from django.conf import settings

    from loadtest.guest.overrides import DATABASES_BEFORE, LAYERS_BEFORE

    opening = read_opening(os.environ.get(OPENING_VARIABLE, ""))
    databases = getattr(settings, DATABASES_BEFORE, settings.DATABASES)
    layers = getattr(settings, LAYERS_BEFORE, getattr(settings, "CHANNEL_LAYERS", {}))
    return replace(
        found,
        settings=getattr(settings, "SETTINGS_MODULE", None) or "",
        is_debugging=bool(settings.DEBUG),
        databases={
            alias: " ".join(filter(None, (one.get("ENGINE"), str(one.get("NAME") or ""))))
            for alias, one in databases.items()
        },
        layer=layers.get("default", {}).get("BACKEND", ""),
        layer_addresses=addresses(layers.get("default", {})),
        paths=[_found(application, path, opening) for path in paths],
        routes=patterns(application),
    )


def _found(application: Any, path: str, opening: Opening) -> FoundPath:
    reached = asyncio.run(_reach(application, path, opening))
    if reached.is_refused_yet(opening) and (consumer := consumer_at(application, path)) is not None:
        return _of_consumer(path, consumer)
    if reached.consumer is not None:
        return _of_consumer(path, reached.consumer)
    return FoundPath(path=path, is_routed=_NO_ROUTE not in reached.problem, problem=reached.problem)


def _of_consumer(path: str, consumer: Any) -> FoundPath:
    kind = "sync" if consumer._sync else "async"
    return FoundPath(path=path, consumer=f"{consumer.__module__}.{consumer.__qualname__}", kind=kind)


@dataclass(frozen=True)
class _Reached:
    """What came of a handshake: the class of a consumer, or why there is none."""

    consumer: Any = None
    problem: str = ""
    has_no_tables: bool = False
    """A database was asked; the one that is there while an app is looked at has nothing in it."""

    def is_refused_yet(self, opening: Opening) -> bool:
        """Tell whether a trial, which has a database with rows in it, may come further."""
        return bool(self.problem) and (self.has_no_tables or opening.is_let_in_later)


async def _reach(application: Any, path: str, opening: Opening) -> _Reached:
    """Ask the app for a path and return what would have answered."""
    from channels.consumer import AsyncConsumer
    from channels.security.websocket import WebsocketDenier
    from django.db import Error as DatabaseError

    reached: list[Any] = []
    said: list[Any] = []

    async def begin(self: Any, *_: Any) -> None:
        reached.append(type(self))
        raise _ConsumerBegins

    async def receive() -> Any:
        if said:
            await asyncio.Event().wait()
        said.append("connect")
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message["type"])

    call, AsyncConsumer.__call__ = AsyncConsumer.__call__, begin
    why, has_no_tables = "", False
    try:
        await asyncio.wait_for(application(_scope(path, opening), receive, send), REACHED_S)
    except _ConsumerBegins:
        pass
    except asyncio.TimeoutError:  # noqa: UP041 - two things in Python 3.10
        why = f"nothing of Channels answered within {REACHED_S:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever the app raises is why nothing was reached
        why, has_no_tables = _told(error), isinstance(error, DatabaseError)
    finally:
        AsyncConsumer.__call__ = call
    if reached and issubclass(reached[0], WebsocketDenier):  # a consumer by its class, and refuses whoever comes
        return _Reached(problem=_REFUSED)
    if reached:
        return _Reached(consumer=reached[0])
    return _Reached(problem=why or _what_instead(said), has_no_tables=has_no_tables)


def _what_instead(said: list[Any]) -> str:
    if "websocket.close" in said or "websocket.http.response.start" in said:
        return _REFUSED
    return "what answers there is no consumer of Channels"


def _scope(path: str, opening: Opening) -> dict[str, Any]:
    """Return the scope that a server makes of an opening handshake (ASGI 3, websocket 2.4).

    Where nothing else is said, it comes from the app's own page.
    """
    path, _, query = path.partition("?")
    headers = [("host", "127.0.0.1:8000"), ("origin", opening.origin or "http://127.0.0.1:8000"), *opening.headers]
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "subprotocols": opening.subprotocols,
        "state": {},
    }


def _why_not_imported(name: str, error: BaseException) -> str:
    """Say what kept the app from being imported, and where."""
    module, _, attribute = name.partition(":")
    if (
        isinstance(error, ModuleNotFoundError)
        and error.name
        and (module == error.name or module.startswith(f"{error.name}."))
    ):
        return f"there is no module {error.name} in {Path.cwd()}"
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if (
        isinstance(error, ModuleNotFoundError)
        and error.name
        and (settings == error.name or settings.startswith(f"{error.name}."))
    ):
        return f"there is no settings module {settings} in {Path.cwd()}"
    if isinstance(error, AttributeError) and str(error).startswith(f"module {module!r} has no attribute"):
        return f"there is no {attribute or 'application'} in {module}"
    return f"{name} cannot be imported: {_told(error)}{_where(error)}"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _where(error: BaseException) -> str:
    """Return the line of the app's own that it came from; "" where there is none."""
    here = str(Path.cwd())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(here)]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    return f" ({Path(own[-1].filename).relative_to(here)}, line {own[-1].lineno})" if own else ""


if __name__ == "__main__":
    main()
