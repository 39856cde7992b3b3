"""What a server is: the command that serves an ASGI application, and the facts that a measurement has to know."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from loadtest.contract import Identity
from loadtest.installed import HERE, Installed

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a server is asked to serve, and how. Its own default where None."""

    application: str
    """As "package.module:attribute"."""
    port: int
    python: str
    """The interpreter in which the application and the server are installed."""
    workers: int = 1
    ping_interval_s: float | None = None
    ping_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server. It listens on HOST, logs warnings only, and gives up on its connections within 2 s when stopped."""

    name: str
    summary: str
    package: str
    """The distribution that holds it."""
    oldest: tuple[int, int] = (0, 0)
    """The first version that knows all of the command line."""
    needs_one_of: tuple[str, ...] = ()
    """Distributions of which one has to be there for WebSockets; empty: it needs no other."""
    command: Callable[[Serving], list[str]]
    """Makes its command line."""
    websockets: Callable[[Identity], str]
    """Names the WebSocket implementation that a process of it uses, and its version."""
    ping_interval_s: float | None
    """How often it pings by default; None: never, so it does not notice a client that vanished."""
    ping_timeout_s: float | None
    ignores_gone: bool = False
    """A send to a client that is gone does nothing; else it raises."""
    has_whole_pings: bool = False
    """It takes its ping settings in whole seconds only."""
    extra: str = ""
    """The extra of this package that installs it; empty: it is always there."""
    settings: tuple[str, ...] = ()
    """Beginnings of environment variables that would change it; a measured server gets none of them."""
    max_workers: int | None = None
    """How many processes it can run; None: any number."""
    port_taken: str = "address already in use"
    """What its log says, in small letters, when another program has the port: it is then started on another one."""
    default: bool = False
    is_elsewhere: bool = False
    """It is started by somebody else: nothing of it can be set."""

    @property
    def version(self) -> str:
        """The installed version; PackageNotFoundError where there is none."""
        return version(self.package)

    def unavailable(self, installed: Installed = HERE) -> str | None:
        """Say why an interpreter cannot run it, in plain words; None where it can."""
        wanted = f"'channels-loadtest[{self.extra}]'" if self.extra else self.package
        if missing := installed.lacks(self.package, wanted=wanted):
            return missing
        if _numbers(installed.version_of(self.package) or "") < self.oldest:
            found, least = installed.version_of(self.package), ".".join(map(str, self.oldest))
            return f"{self.package} {found} is too old; {least} is the first one that can be used"
        if self.needs_one_of and not any(map(installed.version_of, self.needs_one_of)):
            return f"{self.package} speaks no WebSocket there: {installed.lacks(self.needs_one_of[0])}"
        return None


def _numbers(found: str) -> tuple[int, ...]:
    """Return the first two numbers of a version: (0, 22) of "0.22.0rc1"."""
    return tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
