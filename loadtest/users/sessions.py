"""Which session belongs to which Locust environment: the one place that knows."""

from typing import Any
from weakref import WeakKeyDictionary

from loadtest.users.session import Session

_sessions: "WeakKeyDictionary[Any, Session]" = WeakKeyDictionary()


def session_of(environment: Any) -> Session:
    """Return the session of the running test; KeyError outside a test."""
    return _sessions[environment]


def find_session(environment: Any) -> Session | None:
    """Return the session of the running test, if there is one."""
    return _sessions.get(environment)


def begin_session(environment: Any, session: Session) -> None:
    """Make `session` the one that users of `environment` join."""
    _sessions[environment] = session


def end_session(environment: Any) -> None:
    """Close the environment's session, if a test has one."""
    session = _sessions.pop(environment, None)
    if session is not None:
        session.close()
