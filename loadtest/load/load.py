"""Load: what the users of one test do, and to whom."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from loadtest.load.fields import (
    OFFLINE_SPREAD,
    Ack,
    Arrivals,
    BlockerWork,
    CaFile,
    Consumer,
    DropKind,
    DropShare,
    Expect,
    HandlerWork,
    Header,
    Join,
    MessageForm,
    MessageTemplate,
    Offline,
    Origin,
    PayloadSize,
    PingEvery,
    PingMessage,
    Proxy,
    Push,
    Rate,
    RoomSize,
    Seed,
    Subprotocol,
)
from loadtest.load.handshake import header_pair
from loadtest.load.talk import TUTORIAL, Form, Talk, check_form


class Load(BaseModel):
    """A load; which drops there are is checked by whoever carries them out."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    host: str = Field(default="", description="ws:// or wss:// address of the target; a path in it is used as it is")
    consumer: Consumer = "async"
    rate: Rate = 1.0
    arrivals: Arrivals = "constant"
    payload_size: PayloadSize = 64
    room_size: RoomSize = 10
    drop_kind: DropKind = ("rst",)
    drop_share: DropShare = 0.3
    offline: Offline = 0.6
    handler_work: HandlerWork = "none"
    blocker_work: BlockerWork = "cpu:300"
    compression: bool = Field(default=False, description="offer permessage-deflate, as browsers do")
    origin: Origin = ""
    header: Header = ()
    subprotocol: Subprotocol = ()
    ca_file: CaFile = ""
    insecure: bool = Field(default=False, description="take any certificate behind wss://")
    proxy: Proxy = ""
    message: MessageTemplate = ""
    join: Join = ()
    ping_message: PingMessage = ""
    message_form: MessageForm = "text"
    expect: Expect = ""
    ack: Ack = ""
    push: Push = ""
    ping_every: PingEvery = 10.0
    seed: Seed = 1

    @field_validator("insecure")
    @classmethod
    def _trusts_one_or_any(cls, insecure: bool, info: ValidationInfo) -> bool:
        if insecure and info.data.get("ca_file"):
            raise ValueError("takes any certificate, and --ca-file only those of one CA; leave one of them out")
        return insecure

    @field_validator("host")
    @classmethod
    def _websocket_address(cls, host: str) -> str:
        if not _is_websocket_address(host):
            raise ValueError(f"{host!r} is not a WebSocket address; give --host ws://127.0.0.1:8000, say")
        return host

    @field_validator("message_form")
    @classmethod
    def _form_that_templates_have(cls, form: Form, info: ValidationInfo) -> Form:
        said = info.data
        return check_form(form, said.get("message", ""), said.get("ping_message", ""), *said.get("join", ()))

    @property
    def talk(self) -> Talk:
        """What its users say."""
        return Talk(
            message=self.message or TUTORIAL,
            form=self.message_form,
            join=self.join,
            expect=self.expect,
            ack=self.ack,
            push=self.push,
            ping=self.ping_message,
        )

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What `header` says, in pairs of name and value."""
        return [header_pair(line) for line in self.header]

    @property
    def longest_offline(self) -> float:
        """The longest that a dropped member stays away, in seconds."""
        return self.offline * (1 + OFFLINE_SPREAD)

    def url(self, path: str, room: str, work: str, *, user: int = 0) -> str:
        """Return the address of one user: the host if it has a path or a query, else with `path` behind it.

        In a host {room} and {user} stand for the numbers of the user's room and of the user: an app's own path may
        take nothing but digits there.
        """
        own = urlsplit(self.host)
        if own.path not in ("", "/") or own.query:
            return self.host.replace("{room}", room.rpartition("-")[2]).replace("{user}", str(user))
        query = f"?work={work}" if work != "none" else ""
        return self.host.rstrip("/") + path.format(consumer=self.consumer, room=room) + query


def _is_websocket_address(host: str) -> bool:
    """Tell whether it is one; urlsplit drops tabs and line ends, and takes blanks as a part of a name."""
    if not host.isprintable() or " " in host:
        return False
    try:
        parts = urlsplit(host)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, or a port that is no number
        return False
