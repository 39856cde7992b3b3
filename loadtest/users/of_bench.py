"""A generator of the bench: orders and reports are lines on the bench's Unix socket."""

import gevent
from gevent import socket

from loadtest.load import Job
from loadtest.phases import Happened, read_order, write
from loadtest.users.links import Seat, quitting, report
from loadtest.users.player import Player
from loadtest.users.session import Session


class BenchLink:
    """The way to the bench, which conducts."""

    def __init__(self, job: Job) -> None:
        """Connect, report that this generator is ready, and wait for the first order; OSError without a bench."""
        self._seat = Seat(generator=job.generator, generators=job.generators)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(job.conductor)
        self._lines = self._socket.makefile("rb")
        self._tell(Happened.READY, 0)
        self._first = self._lines.readline()

    def seat(self) -> Seat:
        """Return the place that the job names."""
        return self._seat

    def begin(self, session: Session) -> None:
        """Play the session's part, and end it when the bench is gone."""
        end = quitting(session)
        player = Player(session, self._tell, end)

        def listen() -> None:
            line = self._first
            while line:
                player.obey(read_order(line))
                line = self._lines.readline()
            end()

        gevent.spawn(listen)

    def _tell(self, happened: Happened, held: int) -> None:
        self._socket.sendall(write(report(self._seat, happened, held)))
