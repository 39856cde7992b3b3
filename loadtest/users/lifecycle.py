"""The life of a test: options, session, and, when the bench asks for them, the phases of a trial in order."""

import logging
import sys
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import gevent
from gevent.pool import Pool
from locust import events

from loadtest.ledger import Phase
from loadtest.users.churn import Dropping
from loadtest.users.files import allow_open_files
from loadtest.users.last_state import write_last_state
from loadtest.users.options import BenchOptions, OptionsError, add_arguments, read_bench_options, read_options
from loadtest.users.session import Session
from loadtest.users.sessions import begin_session, end_session
from loadtest.users.web_form import check_form

QUIET_S = 0.25
"""Nothing arrived for this long, and as long as a handler works, after the last message: all under way has arrived."""
STALLED_S = 2.0
"""The same where the last message of a member has not come back: it may be lost, or the server busy with something."""
_POLL_S = 0.02
BAD_USAGE = 2
NOT_STARTED = 4

log = logging.getLogger(__name__)


def listen() -> None:
    """Have Locust tell us when a command line is parsed, when it is ready, and when a test starts and stops."""
    events.init_command_line_parser.add_listener(add_arguments)
    events.init.add_listener(_ready)
    events.test_start.add_listener(_start)
    events.test_stop.add_listener(_stop)


def _ready(environment: Any, **_: Any) -> None:
    if environment.web_ui is None:
        _check(environment)
    else:
        check_form(environment, environment.web_ui)
    environment.events.quit.add_listener(lambda **_: write_last_state(environment))
    bench = read_bench_options(vars(environment.parsed_options))
    while bench.go_file and not Path(bench.go_file).exists():
        gevent.sleep(_POLL_S)
    gevent.get_hub().loop.update_now()  # or Locust's -t would count from its own start, which took a while


def _check(environment: Any) -> None:
    """Refuse bad options before any user starts, where there is nobody to correct them in a form."""
    options = vars(environment.parsed_options)
    problems: list[str] = []
    for read in (
        partial(read_options, options, environment.host),
        partial(read_bench_options, options),
        partial(allow_open_files, options.get("num_users") or 1),
    ):
        try:
            read()
        except OptionsError as error:
            problems.append(str(error))
    if problems:
        print("\n".join(problems), file=sys.stderr)
        sys.exit(BAD_USAGE)


def _start(environment: Any, **_: Any) -> None:
    options = vars(environment.parsed_options)
    try:
        load = read_options(options, environment.host)
        allow_open_files(load.num_users or 1)
        session = Session(environment=environment, load=load, bench=read_bench_options(options))
    except (OptionsError, OSError) as error:  # OSError: the ledger cannot be written, the disk is full
        log.error("the test was not started: %s", error)
        environment.process_exit_code = NOT_STARTED
        gevent.spawn(environment.runner.quit).join()  # from another greenlet: it ends the one that we are in
        return
    begin_session(environment, session)
    gevent.spawn(_conduct if session.bench.steady else _drop_until_stopped, session)


def _stop(environment: Any, **_: Any) -> None:
    end_session(environment)


def _drop_until_stopped(session: Session) -> None:
    _wait_until(lambda: _all_open(session), session.bench.ramp)
    dropping = Dropping(session)
    session.at_end(dropping.stop)
    dropping.start()


def _conduct(session: Session) -> None:
    """Take the session through its phases, marking each, and end the run."""
    bench = session.bench
    session.mark(Phase.RAMP)
    _wait_until(lambda: _all_open(session), bench.ramp)
    _meet_other_generators(bench)
    session.mark(Phase.WARM_UP)
    gevent.sleep(bench.warm_up)
    session.forget_warm_up()
    session.mark(Phase.STEADY)
    dropping = Dropping(session)
    dropping.start()
    gevent.sleep(bench.steady)
    dropping.stop()
    session.mark(Phase.RECOVER)
    _wait_until(lambda: _all_back(session), session.load.offline + bench.drain)
    session.mark(Phase.DRAIN)
    session.may_send = False
    quiet = _wait_until_quiet(session)
    session.mark(Phase.CLOSE, value=quiet)
    Pool().map(lambda member: member.end(), session.members)
    session.mark(Phase.END)
    _hold_on(session)
    session.environment.runner.quit()


def _all_open(session: Session) -> bool:
    wanted = session.load.num_users or session.environment.runner.target_user_count
    return len(session.members) >= wanted and all(member.is_open for member in session.members)


def _meet_other_generators(bench: BenchOptions) -> None:
    """Wait until the members of every generator are open: what counts begins for all of them at once."""
    if bench.generators == 1:
        return
    ready = [Path(bench.ledger) / f"open-{number}" for number in range(1, bench.generators + 1)]
    ready[bench.generator - 1].touch()
    _wait_until(lambda: all(file.exists() for file in ready), bench.ramp)


def _all_back(session: Session) -> bool:
    return not session.extras and all(member.is_open for member in session.members)


def _hold_on(session: Session) -> None:
    """Keep what was dropped without a word until the bench, done with measuring, takes the file away that says so."""
    if not (session.held and session.bench.held_file):
        return
    held = Path(session.bench.held_file)
    held.touch()
    _wait_until(lambda: not held.exists(), session.bench.hold)


def _wait_until(condition: Any, deadline_s: float) -> bool:
    ends = monotonic() + deadline_s
    while not condition():
        if monotonic() > ends:
            return False
        gevent.sleep(_POLL_S)
    return True


def _wait_until_quiet(session: Session) -> bool:
    """Wait until nothing has arrived for a while; False when the deadline came first."""
    ends = monotonic() + session.bench.drain
    seen, since = session.received, monotonic()
    while monotonic() - since < _quiet_s(session):
        if monotonic() > ends:
            return False
        gevent.sleep(_POLL_S)
        if session.received != seen:
            seen, since = session.received, monotonic()
    return True


def _quiet_s(session: Session) -> float:
    is_answered = all(member.is_answered for member in session.members)
    return (QUIET_S if is_answered else STALLED_S) + session.longest_work_s
