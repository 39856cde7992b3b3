"""The reference stack: the broker that a layer needs and a target, up together and down together."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.stack.database import Database, prepare_database
from loadtest.stack.layers import LAYERS, Layer
from loadtest.stack.servers import SERVERS, Server
from loadtest.stack.target import Target
from loadtest.stack.valkey import RedisServer, redis_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What is running: the target, and the broker when its layer needs one."""

    target: Target
    redis: RedisServer | None


@contextlib.contextmanager
def reference_stack(
    *,
    folder: Path,
    layer: Layer = LAYERS["inmemory"],
    server: Server = SERVERS["uvicorn"],
    redis_url: str | None = None,
    database: Database | None = None,
    ledger: Path | None = None,
    port: int = 0,
    env: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Run the reference app on a layer; logs, and the database when none is given, go to `folder`, which must exist.

    Arguments are Target's. Raises EnvironmentFailed when a part does not start.
    """
    with contextlib.ExitStack() as running:
        broker = None
        if "redis" in layer.needs:
            broker = running.enter_context(redis_server(redis_url, log=folder / "valkey.log"))
        target = Target(
            server=server,
            layer=layer,
            database=database or prepare_database(folder, None),
            log=folder / "server.log",
            redis_url=broker.url if broker else None,
            ledger=ledger,
            port=port,
            env=env,
        )
        yield Stack(target=running.enter_context(target), redis=broker)
