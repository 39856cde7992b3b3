"""Inspection: what an app is, told before it is measured: `python -m loadtest.guest.inspection FILE PATH...`.

The app is imported, and asked for each path with a scope as a server makes it, up to where a consumer of Channels would
begin. So a path is found through whatever middleware and nested routers the app has, and no consumer runs.
"""

import asyncio
import os
import platform
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtest.contract.inspection import FoundPath, Inspection, write_inspection
from loadtest.contract.opening import Opening, read_opening
from loadtest.contract.packages import installed_packages
from loadtest.contract.variables import APPLICATION_VARIABLE, OPENING_VARIABLE
from loadtest.guest.loading import load_application

NEEDED = ("django", "channels")
REACHED_S = 10.0
"""Middleware may look something up on the way to the consumer; one that takes longer than this hangs."""
_REFUSED = (
    "the connection was refused before a consumer of Channels began: "
    "by an origin, a header or a login that is asked for"
)
_NO_ROUTE = "No route found"
"""So begins what URLRouter of Channels raises."""


class _Reached(BaseException):
    """A consumer has been reached; no middleware is to take it for an error of its own."""


def main() -> None:
    """Write what was found of the app in LOADTEST_APPLICATION, and of the paths, into the file."""
    file, *paths = sys.argv[1:]
    Path(file).write_text(write_inspection(inspect(os.environ[APPLICATION_VARIABLE], paths)))


def inspect(name: str, paths: list[str]) -> Inspection:
    """Return what is found; where something is missing or the app cannot be imported, that is the problem."""
    found = Inspection(python=platform.python_version(), packages=installed_packages())
    missing = [package for package in NEEDED if package not in found.packages]
    if missing:
        return replace(found, problem=f"{' and '.join(missing)} is not installed")
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


def _inspect_app(found: Inspection, application: Any, paths: list[str]) -> Inspection:
    from django.conf import settings

    from loadtest.guest.overrides import DATABASES_BEFORE, LAYERS_BEFORE

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
        paths=[asyncio.run(_reach(application, path)) for path in paths],
        routes=sorted(set(_routes(application, "", 0))),
    )


async def _reach(application: Any, path: str) -> FoundPath:
    """Ask the app for a path and return what would have answered."""
    from channels.consumer import AsyncConsumer
    from channels.security.websocket import WebsocketDenier

    reached: list[Any] = []
    said: list[Any] = []

    async def begin(self: Any, *_: Any) -> None:
        reached.append(type(self))
        raise _Reached

    async def receive() -> Any:
        if said:
            await asyncio.Event().wait()
        said.append("connect")
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message["type"])

    call, AsyncConsumer.__call__ = AsyncConsumer.__call__, begin
    why = ""
    try:
        await asyncio.wait_for(
            application(_scope(path, read_opening(os.environ.get(OPENING_VARIABLE, ""))), receive, send), REACHED_S
        )
    except _Reached:
        pass
    except asyncio.TimeoutError:  # noqa: UP041 - two things in Python 3.10
        why = f"nothing of Channels answered within {REACHED_S:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever the app raises is why nothing was reached
        why = _told(error)
    finally:
        AsyncConsumer.__call__ = call
    if reached and issubclass(reached[0], WebsocketDenier):  # a consumer by its class, and refuses whoever comes
        return FoundPath(path=path, problem=_REFUSED)
    if reached:
        kind = "sync" if reached[0]._sync else "async"
        return FoundPath(path=path, consumer=f"{reached[0].__module__}.{reached[0].__qualname__}", kind=kind)
    if _NO_ROUTE in why:
        return FoundPath(path=path, is_routed=False, problem=why)
    return FoundPath(path=path, problem=why or _what_instead(said))


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


def _routes(application: Any, before: str, depth: int) -> Iterator[str]:
    """Give the patterns below an application of Channels' own, as far as it can be looked into."""
    if depth > 20:
        return
    if hasattr(application, "application_mapping"):
        yield from _routes(application.application_mapping.get("websocket"), before, depth + 1)
    elif hasattr(application, "routes"):
        for route in application.routes:
            below = list(_routes(route.callback, f"{before}{route.pattern}", depth + 1))
            yield from below or [f"{before}{route.pattern}"]
    else:
        inner = (getattr(application, name, None) for name in ("inner", "application", "app"))
        for one in inner:
            if one is not None and not hasattr(application, "consumer_class"):
                yield from _routes(one, before, depth + 1)


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
