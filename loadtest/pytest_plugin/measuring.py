"""Measuring for a test: what it asks for becomes a target and a plan, and the one trial of it a result."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from loadtest.bench.alone import measure_alone
from loadtest.bench.choices import choices_of
from loadtest.bench.examining import examined
from loadtest.bench.fitting import fitted
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import make_plan
from loadtest.bench.trial import TrialFailed
from loadtest.cli.app_options import OPTION_NAMES, target_of
from loadtest.dimensions import FIXED_LOAD
from loadtest.ledger.reader import LedgerError
from loadtest.pytest_plugin.asked import Asked
from loadtest.pytest_plugin.figures import result_of
from loadtest.pytest_plugin.result import Result
from loadtest.report.errors import ReportError
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets import Target

ONE_TRIAL: Final = {"trials": 1, "repeats": 0, "twins": False, "load": FIXED_LOAD}
OF_A_RUN: Final = frozenset({*ONE_TRIAL, "profile", "scenarios", "load_of", "fail_on"})
"""Keys of a plan that are about many trials, or that the test says otherwise."""
_SEVERAL: Final = ("path", "before", "env", "header", "cookie", "subprotocol")
"""Options that may be given several times: one text stands for one."""
_PLACES: Final = ("app_dir", "env_file", "header_file", "users_file")


class CannotMeasure(Exception):
    """What a test asks for cannot be measured; the message is for whoever wrote it."""


def measured(asked: Asked, folder: Path) -> Result:
    """Run a trial of what is asked for, and return its figures; its ledgers and logs stay in `folder`.

    Raises CannotMeasure. Whatever was started has ended then, also on Ctrl-C and SIGTERM.
    """
    try:
        with _ending_in_order():
            return _measured(asked, folder)
    except (PlanError, EnvironmentFailed, TrialFailed, LedgerError, ReportError) as error:
        raise CannotMeasure(str(error)) from error
    except OSError as error:  # a full disk, say
        raise CannotMeasure(f"{error.strerror or error}: {error.filename or 'a file of the trial'}") from error
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)  # a ledger that nobody read may be large
        raise


def _measured(asked: Asked, folder: Path) -> Result:
    of_app, of_plan = split(asked.arguments)
    target = target_of({**_defaults(asked), **of_app})
    plan = plan_of(asked.scenario, of_plan, target)
    found = measure_alone(plan, target, folder)
    return result_of(found, notes=plan.notes, folder=folder, title=f"{asked.scenario} at {asked.path}")


def split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of the app and the keys of the plan; raises PlanError for those that make no sense here."""
    refused = sorted(OF_A_RUN & arguments.keys())
    if refused:
        raise PlanError(f"{', '.join(refused)}: a test measures one trial, at the rate that it gives; leave it out")
    of_app = {name: _as_option(name, value) for name, value in arguments.items() if name in OPTION_NAMES}
    return of_app, {name: value for name, value in arguments.items() if name not in OPTION_NAMES}


def plan_of(scenario: str, keys: Mapping[str, Any], target: Target) -> Plan:
    """Return the plan of one trial; raises PlanError with what the plan says to these keys."""
    made = make_plan({**ONE_TRIAL, "scenarios": scenario, **keys}, choices=choices_of(target.offer))
    return fitted(made, target.offer, examined(made))


def _defaults(asked: Asked) -> dict[str, Any]:
    """The app as pytest runs its tests: in this environment, and with the same settings."""
    named = {"app": asked.app, "app_dir": asked.root, "python": sys.executable, "path": [asked.path]}
    return {**named, "settings": asked.settings} if asked.settings else named


def _as_option(name: str, value: Any) -> Any:
    if name in _SEVERAL:
        return [value] if isinstance(value, str) else list(value)
    return Path(value) if name in _PLACES else value


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: pytest would be gone at once, and with it whoever ends what was started."""
    if threading.current_thread() is not threading.main_thread():  # only there a signal can be taken
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
