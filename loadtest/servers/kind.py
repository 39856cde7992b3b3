"""What a server is: the command that serves an ASGI application, and the facts that a measurement has to know."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from loadtest.contract import Identity

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

    @property
    def version(self) -> str:
        """The installed version; PackageNotFoundError where there is none."""
        return version(self.package)

    def unavailable(self) -> str | None:
        """Say why it cannot be used here, in plain words; None where it can."""
        try:
            version(self.package)
        except PackageNotFoundError:
            wanted = f"'channels-loadtest[{self.extra}]'" if self.extra else self.package
            return f"{self.package} is not installed; pip install {wanted}"
        return None
