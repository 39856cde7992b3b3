"""What a server is: the command that serves an ASGI application, and the facts that a measurement has to know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

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
    websockets: Callable[[Mapping[str, str]], str]
    """Names the WebSocket implementation that it will use and its version, from the versions of installed packages."""
    ping_interval_s: float | None
    """How often it pings by default; None: never, so it does not notice a client that vanished."""
    ping_timeout_s: float | None
    has_whole_pings: bool = False
    """It takes its ping settings in whole seconds only."""
    extra: str = ""
    """The extra of this package that installs it; empty: it is always there."""
    settings: tuple[str, ...] = ()
    """Beginnings of environment variables that would change it; a measured server gets none of them."""
    max_workers: int | None = None
    """How many processes it can run; None: any number."""
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
            return f"{self.package} is not installed; pip install 'channels-loadtest[{self.extra}]'"
        return None
