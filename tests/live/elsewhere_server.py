"""A server that runs elsewhere, for tests: a stranger's project with the probe in it, which no bench has started."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).with_name("projects") / "teamchat"
ORIGIN: Final = "https://chat.example.com"
TOKEN: Final = "an-open-secret-of-tests"
UP_S: Final = 30.0
PORT: Final = 8765
AHEAD_S: Final = 5000
"""How far the clock of the other namespace is ahead: more than any trial lasts."""


def project_with_probe(folder: Path) -> Path:
    """Copy the project and do with it what docs/your_app.md says."""
    project = shutil.copytree(PROJECT, folder / "teamchat", ignore=shutil.ignore_patterns("__pycache__"))
    with (project / "teamchat" / "settings.py").open("a") as settings:
        settings.write('INSTALLED_APPS += ["loadtest.probe"]\n')
    with (project / "teamchat" / "asgi.py").open("a") as asgi:
        asgi.write("\nfrom loadtest.probe import Probe  # noqa: E402\n\napplication = Probe(application)\n")
    run([sys.executable, "manage.py", "migrate"], cwd=project)
    return project


@contextmanager
def serving(
    project: Path,
    *options: str,
    port: int,
    workers: int = 1,
    before: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run uvicorn with these options until the end, and wait until all its workers say that they are up."""
    log = project / f"server-{port}.log"
    uvicorn = [sys.executable, "-m", "uvicorn", "teamchat.asgi:application"]
    command = [*before, *uvicorn, "--port", str(port), "--workers", str(workers), *options]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=project, env={**os.environ, **(env or {})}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        deadline = time.monotonic() + UP_S
        while log.read_bytes().count(b"Application startup complete") < workers:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """Two network namespaces with a cable between them."""

    server: str
    client: str
    address: str
    """The server's."""

    def at_client(self, *command: str | Path) -> list[str | Path]:
        """Return a command as it is run in the client's."""
        return ["ip", "netns", "exec", self.client, *command]

    @property
    def at_server(self) -> list[str]:
        """What stands before a command to run it in the server's, with a clock of its own where the kernel has such."""
        own_clock = ["unshare", "--time", "--fork", "--kill-child", "--monotonic", str(AHEAD_S)]
        return ["ip", "netns", "exec", self.server, *(own_clock if has_time_namespaces() else [])]


def has_time_namespaces() -> bool:
    """Tell whether a process can be given another CLOCK_MONOTONIC here."""
    asked = subprocess.run(
        ["unshare", "--time", "--fork", "--monotonic", str(AHEAD_S), "true"], capture_output=True, check=False
    )
    return asked.returncode == 0


def no_namespaces() -> str:
    """Say why network namespaces cannot be made here; "" where they can."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "needs ip (iproute2) and unshare (util-linux)"
    asked = subprocess.run(["ip", "netns", "add", f"lt-try-{os.getpid()}"], capture_output=True, text=True, check=False)
    if asked.returncode:
        return f"needs the right to make network namespaces: {asked.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", f"lt-try-{os.getpid()}"], check=True)
    return ""


@contextmanager
def two_namespaces() -> Iterator[Namespaces]:
    """Make them, and take them away at the end."""
    number = os.getpid()
    server, client = f"lt-server-{number}", f"lt-client-{number}"
    made = Namespaces(server=server, client=client, address="10.213.7.1")
    ends = ((server, f"lts{number}", made.address), (client, f"ltc{number}", "10.213.7.2"))
    try:
        for name in (server, client):
            run(["ip", "netns", "add", name])
        run(["ip", "link", "add", ends[0][1], "netns", server, "type", "veth", "peer", ends[1][1], "netns", client])
        for name, device, address in ends:
            run(["ip", "-n", name, "address", "add", f"{address}/24", "dev", device])
            run(["ip", "-n", name, "link", "set", device, "up"])
            run(["ip", "-n", name, "link", "set", "lo", "up"])
        yield made
    finally:
        for name in (server, client):  # the cable goes with them
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def run(command: Sequence[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
