"""The options of a load: Locust's command line and web form, made from the fields of a job, and read back as one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from loadtest.drops import DROPS, find_drop
from loadtest.load import IDENTITY, Job, Load, by_comma, flag_of, help_of, variable_of
from loadtest.load.fields import by_line
from loadtest.load.given_file import GivenFileError, lines_of
from loadtest.load.push import Request, check_push, read_push
from loadtest.outages import OUTAGES, problem_with_ending

NOT_IN_THE_FORM: Final = frozenset({"header", "join", "ca_file", "proxy"})
"""The page shows what was given to whoever opens it: headers and proxies carry secrets, a file is one of Locust's
machine."""
REPEATED: Final = frozenset({"header", "join"})
"""Fields whose option is given once for each value: values with commas in them."""
FROM_FILE: Final = "@"
"""Before the name of a file with headers in it; no header's name begins with it."""
LOCUSTS_OWN: Final = frozenset({"host"})
"""Fields that Locust has an option for."""


class OptionsError(Exception):
    """The options of a load do not make sense; the message names every one of them."""


def add_arguments(parser: Any) -> None:
    """Add the options to Locust's parser; what is not the load itself stays out of the web form."""
    for name, field in Job.model_fields.items():
        if name in Load.model_fields and name not in LOCUSTS_OWN:
            _add_argument(parser, name, field)
        elif name not in Load.model_fields and name not in IDENTITY:
            _add_number_or_folder(parser, name, field)
    parser.add_argument(
        "--metrics-port",
        type=int,
        include_in_web_ui=False,
        help="show Prometheus metrics on this port of 127.0.0.1, at /metrics; 0 picks a free one (default: not shown)",
    )
    parser.add_argument(
        "--job", default="", include_in_web_ui=False, help="JSON file that says all of this, as the bench writes it"
    )


def read_job(
    parsed: Mapping[str, Any], host: str | None, *, generator: int | None = None, generators: int | None = None
) -> Job:
    """Return what this generator, one of several, is to do; raises OptionsError naming all that is wrong.

    A job file stands for all other options. It also says which generator it is for, unless that is given here.
    """
    given = {"generator": generator, "generators": generators}
    seat = {name: number for name, number in given.items() if number is not None}
    if parsed.get("job"):
        return _read_file(Path(parsed["job"])).model_copy(update=seat)
    options = {name: value for name, value in parsed.items() if name in Job.model_fields.keys() - IDENTITY}
    return _checked({**options, "header": _headers(by_line(parsed.get("header"))), "host": host or "", **seat})


def _headers(given: Any) -> list[str]:
    """Return the headers that were given, in the place of each file those in it; OptionsError."""
    headers: list[str] = []
    for text in given:
        headers += _headers_in(Path(text.removeprefix(FROM_FILE))) if text.startswith(FROM_FILE) else [text]
    return headers


def _headers_in(file: Path) -> list[str]:
    """Return the headers of a file; it is read whenever a test starts, and by each process of Locust."""
    try:
        if file.is_fifo():
            raise GivenFileError("it is a pipe, which can be read once only; name a file, or set LOADTEST_HEADER")
        return lines_of(file)
    except GivenFileError as error:
        raise OptionsError(f"--header: {FROM_FILE}{file} cannot be read: {error}") from None


def _add_argument(parser: Any, name: str, field: FieldInfo) -> None:
    default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    form: dict[str, Any] = {"type": type(default), "default": default}
    if isinstance(default, bool):
        form = {"action": "store_true"}
    elif name in REPEATED:
        form = {"action": "append", "metavar": name.upper()}
    shown = name not in NOT_IN_THE_FORM
    parser.add_argument(
        flag_of(name), **form, env_var=variable_of(name), help=_help(name, field), include_in_web_ui=shown
    )


def _add_number_or_folder(parser: Any, name: str, field: FieldInfo) -> None:
    parser.add_argument(
        flag_of(name), type=type(field.default), default=field.default, help=_help(name, field), include_in_web_ui=False
    )


def _help(name: str, field: FieldInfo) -> str:
    text = help_of(field)
    return f"{text}: {', '.join(kind.form for kind in DROPS.values())}" if name == "drop_kind" else text


def _read_file(path: Path) -> Job:
    try:
        job = Job.model_validate_json(path.read_bytes())
    except OSError as error:
        raise OptionsError(f"--job: cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        problems = [(".".join(map(str, one["loc"])) or "the file", one["msg"]) for one in error.errors()]
    else:
        problems = _problems_with_drops(job.model_dump())
    if problems:
        raise OptionsError("\n".join(f"--job: {path}: {name}: {text}" for name, text in problems))
    return job


def _checked(given: Mapping[str, Any]) -> Job:
    problems: list[tuple[str, str]] = []
    try:
        job = Job.model_validate(given)
    except ValidationError as error:
        problems = [(str(one["loc"][0]), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    problems += [*_problems_with_drops(given), *_problems_with_push(given)]
    if problems:
        order = list(Job.model_fields)
        problems.sort(key=lambda problem: order.index(problem[0]))
        raise OptionsError("\n".join(f"{flag_of(name)}: {text}" for name, text in problems))
    return job


def _problems_with_drops(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what is wrong with the names of the drops, of which a load knows the text only."""
    names = by_comma(given.get("drop_kind", ()))
    if not isinstance(names, list | tuple):
        return []
    wrong = {name: problem for name in names if (problem := _problem_with_drop(name))}
    problems = [("drop_kind", "; ".join(wrong.values()))] if wrong else []
    on_the_way = [name for name in names if name not in wrong and find_drop(name).stage != "open"]
    if given.get("proxy") and on_the_way:
        text = f"the drops on the way to being open go through no proxy; leave it out, or {', '.join(on_the_way)}"
        problems.append(("proxy", text))
    return problems


def _problems_with_push(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Refuse a command where there is no bench that runs it."""
    try:
        push = check_push(str(given.get("push") or ""))
    except ValueError:  # told already
        return []
    if not push or isinstance(read_push(push), Request):
        return []
    return [("push", "a command is run by `channels-loadtest bench` alone; write a request, 'POST /path/ BODY'")]


def _problem_with_drop(name: str) -> str | None:
    if name in OUTAGES:
        what = OUTAGES[name].of
        return f"{name} ends or stops a whole {what}; only `channels-loadtest bench --drops {name}` has one for it"
    return problem_with_ending(name)
