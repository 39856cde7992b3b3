"""The options of a load: what Locust's command line and web form ask for, checked all at once."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from loadtest.drops import DROPS, DropError, find_drop
from loadtest.users.handshake import check_ca_file, check_header, check_origin, check_subprotocol, header_pair
from loadtest.users.messages import SMALLEST_PAYLOAD
from loadtest.work import check_blocking_work, check_work


class OptionsError(Exception):
    """The options of a load do not make sense; the message names every one of them."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _lines(value: object) -> object:
    return value.splitlines() if isinstance(value, str) else value or ()


Header = Annotated[str, AfterValidator(check_header)]
Subprotocol = Annotated[str, AfterValidator(check_subprotocol)]


class LoadOptions(BaseModel):
    """The load, as given by Locust's parsed options; durations in seconds, sizes in bytes, rates a second."""

    # Locust's own options come in the same namespace
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    host: str = Field("", description="ws:// or wss:// address of the target; a path in it is used as it is")
    consumer: str = Field("async", pattern=r"^[\w-]+$", description="consumer of the reference app: /ws/<consumer>/...")
    rate: float = Field(1.0, ge=0, description="messages a second and sender; 0: as fast as answers come")
    payload_size: int = Field(64, ge=SMALLEST_PAYLOAD, le=2**26, description="bytes a message")
    room_size: int = Field(10, ge=1, description="members a room")
    drop_kind: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        ("rst",),
        min_length=1,
        description=f"how to drop, several by comma: {', '.join(kind.form for kind in DROPS.values())}",
    )
    drop_share: float = Field(0.1, ge=0, le=1, description="share of the members dropped each second")
    offline: float = Field(1.0, ge=0, description="seconds that a dropped member stays away")
    handler_work: Annotated[str, AfterValidator(check_work)] = Field(
        "none", description="handler work of the reference app: none, sleep:MS, cpu:MS or orm"
    )
    blocker_work: Annotated[str, AfterValidator(check_blocking_work)] = Field(
        "cpu:300", description="the same for the one connection of `blocker` that blocks"
    )
    compression: bool = Field(False, description="offer permessage-deflate, as browsers do")
    origin: Annotated[str, AfterValidator(check_origin)] = Field(
        "", description="Origin header; empty: the target's own address, as its own page would send"
    )
    header: Annotated[tuple[Header, ...], BeforeValidator(_lines)] = Field(
        (),
        description="'Name: value' for the opening request: Cookie or Authorization, say; may be given several times",
    )
    subprotocol: Annotated[tuple[Subprotocol, ...], BeforeValidator(_split)] = Field(
        (), description="subprotocols to ask for, several by comma; the server has to choose one"
    )
    ca_file: Annotated[str, AfterValidator(check_ca_file)] = Field(
        "", description="PEM file of the only CA to trust behind wss://; empty: those of the system"
    )
    insecure: bool = Field(False, description="take any certificate behind wss://")
    seed: int = Field(1, ge=0, description="seed of every random choice")
    num_users: int | None = None

    @field_validator("drop_kind")
    @classmethod
    def _known_drops(cls, kinds: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        alone = (info.context or {}).get("generators", 1) == 1
        if problems := [problem for name in kinds if (problem := _problem_with_drop(name, alone=alone))]:
            raise ValueError("; ".join(problems))
        return kinds

    @field_validator("insecure")
    @classmethod
    def _trusts_one_or_any(cls, insecure: bool, info: ValidationInfo) -> bool:
        if insecure and info.data.get("ca_file"):
            raise ValueError("takes any certificate, and --ca-file only those of one CA; leave one of them out")
        return insecure

    @field_validator("host")
    @classmethod
    def _websocket_address(cls, host: str) -> str:
        parts = urlsplit(host)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0:  # asking a bad port raises
            raise ValueError(f"{host!r} is not a WebSocket address; give --host ws://127.0.0.1:8000, say")
        return host

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What `header` says, in pairs of name and value."""
        return [header_pair(line) for line in self.header]

    def url(self, path: str, room: str, work: str) -> str:
        """Return the address of one user: the host as it is if it has a path or a query, else with `path` behind it."""
        own = urlsplit(self.host)
        if own.path not in ("", "/") or own.query:
            return self.host
        query = f"?work={work}" if work != "none" else ""
        return self.host.rstrip("/") + path.format(consumer=self.consumer, room=room) + query


class BenchOptions(BaseModel):
    """What only the bench says to a generator: where to record and how long each phase lasts, in seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    ledger: str = ""
    generator: int = Field(1, ge=1, le=255)
    generators: int = Field(1, ge=1, le=255)
    go_file: str = ""
    ramp: float = Field(30.0, gt=0)
    warm_up: float = Field(1.0, ge=0)
    steady: float = Field(0.0, ge=0)
    drain: float = Field(5.0, gt=0)
    held_file: str = ""
    hold: float = Field(60.0, ge=0)


_BENCH_HELP = {
    "ledger": "folder for the ledger; empty: none is kept",
    "generator": "number of this generator process, 1 to 255: part of the connections' ids",
    "generators": "how many processes the members are dealt out to, in turn; they share the folder of the ledger",
    "go_file": "wait until this file exists before the first user starts",
    "ramp": "seconds that all users have to open their connection",
    "warm_up": "seconds before anything counts",
    "steady": "seconds that count; 0: no phases, run until stopped",
    "drain": "most seconds to wait until what is under way has arrived",
    "held_file": "made when only silently dropped connections are left; they are held until it is taken away",
    "hold": "most seconds to wait for that",
}


NOT_IN_THE_FORM = frozenset({"header", "ca_file"})
"""The page shows what was given to whoever opens it, and headers carry secrets; a file is one of Locust's machine."""


def add_arguments(parser: Any) -> None:
    """Add the options to Locust's parser; those of the bench stay out of the web form."""
    for name, field in LoadOptions.model_fields.items():
        if name not in ("host", "num_users"):  # Locust's own
            _add_argument(parser, name, field)
    for name, field in BenchOptions.model_fields.items():
        parser.add_argument(
            _flag(name),
            type=field.annotation,
            default=field.default,
            include_in_web_ui=False,
            help=_BENCH_HELP[name],
        )


def _add_argument(parser: Any, name: str, field: FieldInfo) -> None:
    default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    form: dict[str, Any] = {"type": type(default), "default": default}
    if isinstance(default, bool):
        form = {"action": "store_true"}
    elif name == "header":
        form = {"action": "append", "metavar": "HEADER"}
    shown = name not in NOT_IN_THE_FORM
    parser.add_argument(_flag(name), **form, env_var=_variable(name), help=field.description, include_in_web_ui=shown)


def read_options(parsed: Mapping[str, Any], host: str | None) -> LoadOptions:
    """Return the checked options; raises OptionsError naming all that is wrong."""
    given = {name: value for name, value in parsed.items() if name in LoadOptions.model_fields}
    try:
        context = {"generators": parsed.get("generators", 1)}
        return LoadOptions.model_validate(given | {"host": host or ""}, context=context)
    except ValidationError as error:
        raise OptionsError("\n".join(_problem(problem) for problem in error.errors())) from None


def read_bench_options(parsed: Mapping[str, Any]) -> BenchOptions:
    """Return the checked options of the bench; raises OptionsError naming all that is wrong."""
    try:
        return BenchOptions.model_validate(parsed)
    except ValidationError as error:
        raise OptionsError("\n".join(_problem(problem) for problem in error.errors())) from None


def _problem_with_drop(name: str, *, alone: bool) -> str | None:
    """Say why a drop cannot be done by this generator; `alone`: there is no other one to go on without it."""
    try:
        kind = find_drop(name)
    except DropError as error:
        return str(error)
    if kind.stage == "process" and alone:
        return f"{name} ends the generator itself; `channels-loadtest bench --drops {name}` starts a second one for it"
    why = kind.unavailable()
    return f"{name} cannot be done here: {why}" if why else None


def _problem(problem: Any) -> str:
    return f"{_flag(str(problem['loc'][0]))}: {problem['msg'].removeprefix('Value error, ')}"


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return "LOADTEST_" + name.upper()
