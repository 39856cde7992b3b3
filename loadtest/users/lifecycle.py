"""The life of a test in Locust: options are checked, a session begins, is conducted, and ends."""

import logging
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, Final, NoReturn
from weakref import WeakKeyDictionary

import gevent
from locust import events
from locust.runners import MasterRunner, WorkerRunner

from loadtest.load import Job
from loadtest.users.alone import AloneLink
from loadtest.users.csv_writing import end_writing_in_order
from loadtest.users.files import allow_open_files
from loadtest.users.heartbeat import Heartbeat
from loadtest.users.last_state import write_last_state
from loadtest.users.links import Link, Seat
from loadtest.users.master import MasterConducting
from loadtest.users.of_bench import BenchLink
from loadtest.users.options import OptionsError, add_arguments, read_job
from loadtest.users.session import Session
from loadtest.users.sessions import begin_session, end_session, find_session
from loadtest.users.web_form import check_form
from loadtest.users.worker import WorkerLink

BAD_USAGE: Final = 2
NOT_STARTED: Final = 4

FACE: Final = "loadtest.webui"
"""What stands behind the web UI. It is found by its name: nothing down here knows a face."""

AnyLink = Link | MasterConducting

log = logging.getLogger(__name__)
_links: "WeakKeyDictionary[Any, AnyLink]" = WeakKeyDictionary()


def listen() -> None:
    """Have Locust tell us when a command line is parsed, when it is ready, and when a test starts and stops."""
    end_writing_in_order()
    events.init_command_line_parser.add_listener(add_arguments)
    events.init_command_line_parser.add_listener(import_module(FACE).add_arguments)
    events.init.add_listener(_ready)
    events.test_start.add_listener(_start)
    events.test_stop.add_listener(_stop)


def _ready(environment: Any, **_: Any) -> None:
    if environment.web_ui is not None:
        import_module(FACE).attach(environment, environment.web_ui)
        check_form(environment, environment.web_ui)
    elif not isinstance(environment.runner, WorkerRunner):  # a worker gets host and options from its master
        _check(environment)
    environment.events.quit.add_listener(lambda **_: write_last_state(environment))
    try:
        _show_metrics(environment)
        link = _link_of(environment)
    except OptionsError as error:
        _refuse(environment, str(error))
    _connect(environment, link)
    gevent.get_hub().loop.update_now()  # or Locust's -t would count from its own start, which took a while


def _show_metrics(environment: Any) -> None:
    """Show metrics where that is asked for: of the processes of `--processes` the first one does, for all of them."""
    options = environment.parsed_options
    if options.metrics_port is None or (isinstance(environment.runner, WorkerRunner) and options.processes):
        return
    from loadtest.users.metrics import serve_metrics  # 75 ms of CPU, and memory, that other generators spare themselves

    serve_metrics(environment, options.metrics_port)


def _connect(environment: Any, link: AnyLink) -> AnyLink:
    environment.events.spawning_complete.add_listener(partial(_spawned, environment))
    _links[environment] = link
    return link


def _link_of(environment: Any) -> AnyLink:
    """Return what connects this process with the conductor of its tests; under the bench, wait until one begins."""
    runner = environment.runner
    job = _job_of(environment) if environment.parsed_options.job else None
    if job is not None and job.conductor:
        if isinstance(runner, MasterRunner | WorkerRunner):
            raise OptionsError(
                f"--job: {environment.parsed_options.job}: conductor: a job of the bench is for one process; leave "
                "`conductor` out of the job, or run Locust without --processes, --master and --worker"
            )
        return BenchLink(job)
    if isinstance(runner, MasterRunner):
        return MasterConducting(environment)
    return WorkerLink(environment) if isinstance(runner, WorkerRunner) else AloneLink()


def _check(environment: Any) -> None:
    """Refuse bad options before any user starts, where no form is shown in which they could be corrected."""
    users = environment.parsed_options.num_users or 1
    checks: tuple[Callable[[], object], ...] = (partial(_job_of, environment), partial(allow_open_files, users))
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except OptionsError as error:
            problems.append(str(error))
    if problems:
        _refuse(environment, "\n".join(problems))


def _refuse(environment: Any, why: str) -> NoReturn:
    """End this process with what is wrong; of `--processes` only the first one says it."""
    if not (isinstance(environment.runner, WorkerRunner) and environment.parsed_options.processes):
        print(why, file=sys.stderr)
    sys.exit(BAD_USAGE)


def _start(environment: Any, **_: Any) -> None:
    link = _links.get(environment) or _connect(environment, AloneLink())  # a program that runs users has no `init`
    try:
        if isinstance(link, MasterConducting):
            link.begin(_job_of(environment))
            return
        seat = link.seat()
        allow_open_files((seat.users if seat else 0) or environment.parsed_options.num_users or 1)
        job = _job_of(environment, seat)
        session = Session(environment=environment, load=job)
    except (OptionsError, OSError) as error:  # OSError: the ledger cannot be written, the disk is full
        log.error("the test was not started: %s", error)
        environment.process_exit_code = NOT_STARTED
        gevent.spawn(environment.runner.quit).join()  # from another greenlet: it ends the one that we are in
        return
    begin_session(environment, session)
    if job.ledger:
        session.at_end(Heartbeat(session.record).stop)
    link.begin(session)


def _job_of(environment: Any, seat: Seat | None = None) -> Job:
    options = vars(environment.parsed_options)
    if seat is None:
        return read_job(options, environment.host)
    return read_job(options, environment.host, generator=seat.generator, generators=seat.generators)


def _spawned(environment: Any, **_: Any) -> None:
    if session := find_session(environment):
        session.is_complete = True


def _stop(environment: Any, **_: Any) -> None:
    link = _links.get(environment)
    if isinstance(link, MasterConducting):
        link.end()
    end_session(environment)
