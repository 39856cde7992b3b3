"""The options for an app of the user's own: what `--app` and those beside it make the target of a command."""

import functools
import inspect
import os
import re
import shlex
import sys
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from loadtest.bench.plan import PlanError
from loadtest.cli.elsewhere_options import OF_AN_ADDRESS, elsewhere_of, resumed_elsewhere
from loadtest.cli.entry_options import entry_of, login_of, redacted_value
from loadtest.load import flag_of
from loadtest.load.given_file import GivenFileError, read_given
from loadtest.load.handshake import header_pair
from loadtest.servers.own_command import PORT
from loadtest.targets import Target
from loadtest.targets.configured_layer import OF_REDIS
from loadtest.targets.inspecting import NoSuchPath
from loadtest.targets.project import DATABASE_CHOICES, PRIVATE, SCRATCH, Project
from loadtest.targets.reference import ReferenceApp
from loadtest.targets.user_app import UserApp

APP: Final = "app"
"""The parameter of a command in whose place the options stand: it gets what was given, by the option's name."""
NOT_KEPT: Final = ("env", "env_file", "header", "header_file", "cookie", "probe_token_file")
"""What a run does not keep, for it may be secret, and has to be given again when it is resumed."""
_SECRET: Final = {"--env": "=", "--header": ":", "--cookie": "="}
"""Options whose values may be secret, and what stands before the secret."""
PANEL: Final = "Your own app"
_VARIABLE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def _option(help_text: str) -> Any:
    return typer.Option(help=help_text, rich_help_panel=PANEL)


def _own_app(
    app: Annotated[str | None, _option("your ASGI application, as myproject.asgi:application")] = None,
    app_dir: Annotated[Path | None, _option("the folder of your project; the working folder where left out")] = None,
    path: Annotated[
        list[str] | None,
        _option(
            "path of a consumer, /ws/chat/{room}/ say; {room} and {user} become numbers; given several times, several "
            "consumers are compared"
        ),
    ] = None,
    python: Annotated[
        str | None, _option("the interpreter of your project; the .venv in its folder where there is one, else ours")
    ] = None,
    settings: Annotated[str | None, _option("DJANGO_SETTINGS_MODULE; your asgi.py says it where left out")] = None,
    env: Annotated[list[str] | None, _option("NAME=VALUE for the environment; may be given several times")] = None,
    env_file: Annotated[Path | None, _option("file with a NAME=VALUE in each line")] = None,
    command: Annotated[
        str | None,
        _option(
            "your own way to start the server instead of --servers, 'daphne -p {port} myproject.asgi:application' say; "
            "in your folder, at 127.0.0.1 and {port}"
        ),
    ] = None,
    before: Annotated[
        list[str] | None,
        _option("command to run before, in your folder and on the same databases; may be given several times"),
    ] = None,
    database: Annotated[
        str | None, _option("scratch: migrated SQLite files that are thrown away (default); as-is: your own")
    ] = None,
    online: Annotated[
        str | None,
        _option(
            "what tells who is online, so that it is seen who stays so: a callable, app.models:online_ids say, or "
            "'SELECT count(*) FROM presence'"
        ),
    ] = None,
    broker: Annotated[
        str | None, _option("private: the channel layer as your settings have it, but at a Valkey of our own")
    ] = None,
    header: Annotated[
        list[str] | None,
        _option("'Name: value' for the opening request, seen by all users of this machine; may be given several times"),
    ] = None,
    header_file: Annotated[Path | None, _option("file with a 'Name: value' in each line, for what is secret")] = None,
    cookie: Annotated[
        list[str] | None, _option("NAME=VALUE, a cookie of the opening request; may be given several times")
    ] = None,
    origin: Annotated[str | None, _option("Origin header; the app's own address where left out")] = None,
    subprotocol: Annotated[
        list[str] | None, _option("subprotocol to ask for, which the app has to choose; may be given several times")
    ] = None,
    login_url: Annotated[
        str | None, _option("page with a login form, /accounts/login/ say, by which each user signs in first")
    ] = None,
    users_file: Annotated[
        Path | None,
        _option("file with a NAME:PASSWORD in each line, one for each user; made in a scratch database where left out"),
    ] = None,
    target: Annotated[
        str | None,
        _option(
            "in the place of --app, a consumer of a server that runs elsewhere and is your own, as "
            "wss://example.com/ws/chat/{room}/"
        ),
    ] = None,
    ca_file: Annotated[Path | None, _option("with --target, PEM file of the only CA to trust behind wss://")] = None,
    insecure: Annotated[bool, _option("with --target, take any certificate behind wss://")] = False,
    probe_token_file: Annotated[
        Path | None, _option("with --target, file with the token of the probe there, else LOADTEST_PROBE_TOKEN has it")
    ] = None,
) -> None:
    """Say what options there are; `target_of` makes the target of them."""


_OPTIONS: Final = tuple(inspect.signature(_own_app).parameters.values())
OPTION_NAMES: Final = frozenset(option.name for option in _OPTIONS)


def with_app_options(command: Callable[..., None], names: Collection[str] = OPTION_NAMES) -> Callable[..., None]:
    """Return the command with those of the options; it gets those that were given."""
    options = [option for option in _OPTIONS if option.name in names]

    @functools.wraps(command)
    def taking_options(**given: Any) -> None:
        own = {option.name: given.pop(option.name) for option in options}
        command(**given, **{APP: {name: value for name, value in own.items() if value}})

    signature = inspect.signature(command)
    kept = [parameter for name, parameter in signature.parameters.items() if name != APP]
    keyword_only = [option.replace(kind=option.KEYWORD_ONLY) for option in options]
    taking_options.__signature__ = signature.replace(parameters=[*kept, *keyword_only])  # type: ignore[attr-defined]
    return taking_options


def target_of(given: Mapping[str, Any]) -> Target:
    """Return the target that options name: the reference app where there is no --app.

    Raises PlanError for options that make no sense, EnvironmentFailed when the app cannot be measured as it is.
    """
    if "target" in given:
        return elsewhere_of(given)
    if of_address := [name for name in OF_AN_ADDRESS if name in given]:
        raise PlanError(f"{_flags(of_address)} is for a server that runs elsewhere; name it with --target")
    if "app" in given:
        return _user_app(given)
    if given:
        raise PlanError(f"{_flags(given)} is for an app of your own; name it with --app")
    return ReferenceApp(database_url=os.environ.get("DATABASE_URL"))


def resumed_target(origin: Mapping[str, Any], given: Mapping[str, Any]) -> Target:
    """Return the target of a run that is resumed, by what its manifest says of it; the rest has to be given again."""
    if more := [name for name in given if name not in NOT_KEPT or not origin]:
        raise PlanError(f"--resume goes on with the run's own target; leave out {_flags(more)}")
    if not origin:
        return target_of({})
    _require_again(origin.get("env", ()), _environment(given), "--env or --env-file")
    entry = entry_of(given)
    _require_again(
        origin.get("header", ()), [header_pair(line)[0] for line in entry.headers], "--header or --header-file"
    )
    _require_again(origin.get("cookie", ()), entry.cookies, "--cookie")
    if "target" in origin:
        return resumed_elsewhere(origin, given)
    options = {name: value for name, value in origin.items() if name not in NOT_KEPT and value}
    return _user_app({**options, **given, "app_dir": Path(origin["app_dir"])})


def _require_again(had: Iterable[str], given: Container[str], options: str) -> None:
    if missing := [name for name in had if name not in given]:
        raise PlanError(f"--resume: the run had {', '.join(missing)} from {options}; give it again")


def _user_app(given: Mapping[str, Any]) -> UserApp:
    why_not = (
        "" if given.get("path") else "--app needs the --path of a consumer, /ws/chat/lobby/ say; give each a --path"
    )
    project = project_of(given, why_not)
    try:
        app = UserApp.inspected(project)
    except NoSuchPath as error:
        raise PlanError(f"--path: {error}") from None
    if project.has_private_broker and not app.found.layer.startswith(OF_REDIS):
        raise PlanError(
            f"--broker: the app's channel layer is {app.found.layer or 'none'}, not channels_redis; leave it out"
        )
    return app


def project_of(given: Mapping[str, Any], *problems_so_far: str) -> Project:
    """Return the project that options name; PlanError with all that is wrong with them."""
    folder, database = given.get("app_dir", Path()).resolve(), given.get("database", SCRATCH)
    problems = [*filter(None, problems_so_far)]
    if database not in DATABASE_CHOICES:
        problems.append(f"--database is {' or '.join(DATABASE_CHOICES)}, got {database!r}")
    if not folder.is_dir():
        problems.append(f"--app-dir: {folder} is no folder")
    command, why_not = _command(given.get("command", ""))
    if given.get("broker", PRIVATE) != PRIVATE:
        problems.append(f"--broker is {PRIVATE}, or left out, got {given['broker']!r}")
    if problems := [*problems, *filter(None, [why_not])]:
        raise PlanError("\n".join(problems))
    return Project(
        application=given["app"],
        folder=folder,
        paths=tuple(dict.fromkeys(path if path.startswith("/") else f"/{path}" for path in given.get("path", ()))),
        python=_interpreter(given.get("python"), folder),
        settings=given.get("settings", ""),
        env=_environment(given),
        command=command,
        before=tuple(given.get("before", ())),
        database=database,
        online=given.get("online", ""),
        has_private_broker="broker" in given,
        entry=entry_of(given),
        login=login_of(given),
        users_file=str(Path(given["users_file"]).resolve()) if "users_file" in given else "",
    )


def _command(text: str) -> tuple[tuple[str, ...], str]:
    """Return the words of a start command, and why it cannot be used; both empty where there is none."""
    if not text:
        return (), ""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        return (), f"--command: {error}, in {text!r}"
    if not any(PORT in word for word in words):
        return (), f"--command: there is no {PORT} in {text!r}; the bench picks the port that the server listens at"
    if _VARIABLE.fullmatch(words[0]):
        return (), f"--command: {words[0]!r} is no program; --env gives variables, and a command is run without a shell"
    return words, ""


def redacted_variables(arguments: Iterable[str]) -> list[str]:
    """Return a command line without the values of variables, headers and cookies, which may be secrets."""
    found: list[str] = []
    before = ""
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if before in _SECRET:
            found.append(redacted_value(argument, _SECRET[before]))
        elif option in _SECRET and equals:
            found.append(f"{option}={redacted_value(value, _SECRET[option])}")
        else:
            found.append(argument)
        before = argument
    return found


def _flags(names: Iterable[str]) -> str:
    return ", ".join(flag_of(name) for name in names)


def _environment(given: Mapping[str, Any]) -> dict[str, str]:
    of_file = _read_variables(given["env_file"]) if "env_file" in given else {}
    return {**of_file, **_variables(given.get("env", ()))}


def _interpreter(given: str | None, folder: Path) -> str:
    """Return the interpreter of a project; PlanError where one is named that cannot be run."""
    if given is None:
        own = folder / ".venv" / "bin" / "python"
        return str(own) if own.exists() else sys.executable
    named = Path(given)
    for there in (named, folder / named):
        if os.access(there, os.X_OK) and there.is_file():
            return str(there.absolute())  # not resolved: the link is what makes it the one of its environment
    raise PlanError(f"--python {given} is no program that can be run")


def _variables(given: Iterable[str]) -> Mapping[str, str]:
    wrong = [text.partition("=")[0] for text in given if not _VARIABLE.fullmatch(text)]
    if wrong:
        raise PlanError(f"--env: write NAME=VALUE, got {', '.join(map(repr, wrong))}")
    return dict(text.split("=", 1) for text in given)


def _read_variables(file: Path) -> Mapping[str, str]:
    """Return the variables of a file, a NAME=VALUE in each line; with quotes around the value or `export` before it."""
    try:
        lines = [line.strip() for line in read_given(file).splitlines()]
    except GivenFileError as error:
        raise PlanError(f"--env-file {file} cannot be read: {error}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        said = _VARIABLE.fullmatch(line.removeprefix("export "))
        if not line or line.startswith("#"):
            continue
        if said is None:
            raise PlanError(f"--env-file {file}: line {number} is not NAME=VALUE")
        value = said[2].strip()
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[said[1]] = value[1:-1] if is_quoted else value
    return found
