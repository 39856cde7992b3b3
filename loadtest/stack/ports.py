"""Ports of this machine: a free one, whether one is free, and who listens."""

import errno
import socket

import psutil

from loadtest.stack.errors import EnvironmentFailed

LARGEST_PORT = 65535


def free_port(host: str) -> int:
    """Return a port that nobody listens on just now; another process may take it before we do."""
    with socket.socket() as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


def require_free(host: str, port: int) -> None:
    """Raise EnvironmentFailed unless the port can be listened on."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            sock.bind((host, port))
        except OSError as error:
            why = "is taken by another process" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
            raise EnvironmentFailed(f"port {port} {why}; pass --port 0 to pick a free one") from error


def listeners(pid: int, port: int) -> int:
    """Return how many of the process and its children listen on the port; 0 where another one was quicker."""
    try:
        root = psutil.Process(pid)
        return sum(_listens(process, port) for process in (root, *root.children(recursive=True)))
    except psutil.Error:
        return 0


def _listens(process: psutil.Process, port: int) -> bool:
    return any(
        found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in process.net_connections("tcp4")
    )
