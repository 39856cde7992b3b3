"""A generator of the bench: orders and reports are lines on the bench's Unix socket."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent
from gevent import socket

from loadtest.load import Job
from loadtest.phases import Happened, LineError, read_order, write
from loadtest.users.links import Seat, quitting, report
from loadtest.users.options import OptionsError
from loadtest.users.own_code import told
from loadtest.users.player import Player
from loadtest.users.session import Session

GARBLED: Final = 4
"""Exit code of Locust where the bench sent what is no order."""
RAISED: Final = 5
"""The same where the code of a locustfile raised something."""

log = logging.getLogger(__name__)


class BenchLink:
    """The way to the bench, which conducts."""

    def __init__(self, job: Job) -> None:
        """Connect, report that this generator is ready, and wait for the first order; OptionsError without a bench."""
        self._seat = Seat(generator=job.generator, generators=job.generators)
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(job.conductor)
            self._lines = self._socket.makefile("rb")
            self._send(Happened.READY, 0)
            self._first = self._lines.readline()
        except OSError as error:
            self._socket.close()
            raise OptionsError(
                f"--job: no bench listens at {job.conductor} ({error}); leave `conductor` out of the job"
            ) from None

    def seat(self) -> Seat:
        """Return the place that the job names."""
        return self._seat

    def begin(self, session: Session) -> None:
        """Play the session's part, and end it when the bench is gone."""
        end = quitting(session)
        player = Player(session, self._tell, end)

        def listen() -> None:
            try:
                self._listen(player)
            except LineError as error:
                log.error("the bench sent %s", error)
                session.environment.process_exit_code = GARBLED
            finally:
                end()

        gevent.spawn(listen)
        self._end_at_errors(session, end)

    def _end_at_errors(self, session: Session, end: Callable[[], None]) -> None:
        """End the test when the locustfile's own code raises: what its users do is then not what was planned."""
        environment = session.environment

        def raised(exception: BaseException, **_: Any) -> None:
            if environment.process_exit_code != RAISED:
                environment.process_exit_code = RAISED
                log.error("the locustfile raised %s", told(exception, Path(environment.parsed_options.locustfile)))
                gevent.spawn(end)

        environment.events.user_error.add_listener(raised)

    def _listen(self, player: Player) -> None:
        """Obey until the bench is gone; raises LineError."""
        line = self._first
        while line:
            player.obey(read_order(line))
            try:
                line = self._lines.readline()
            except OSError:
                return

    def _tell(self, happened: Happened, held: int) -> None:
        with contextlib.suppress(OSError):  # that the bench is gone is noticed where its orders are read
            self._send(happened, held)

    def _send(self, happened: Happened, held: int) -> None:
        self._socket.sendall(write(report(self._seat, happened, held)))
