"""Target: a server that runs elsewhere, at an address; nothing of it is started, set or stopped here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from loadtest.dimensions import Value
from loadtest.installed import Installed
from loadtest.layers import CONFIGURED, LAYERS
from loadtest.load.entry import Entry
from loadtest.load.handshake import header_pair
from loadtest.load.talk import ROOM, TUTORIAL
from loadtest.stack.process import Process
from loadtest.targets.address import Address
from loadtest.targets.login import Login, sign_in
from loadtest.targets.offer import Offer
from loadtest.targets.opening import trust_of
from loadtest.targets.prime_app import send_through
from loadtest.targets.speaking import Templates
from loadtest.targets.target import CollectedLedger, Reading, Setting
from loadtest.targets.user_app import DEFAULT_SCENARIOS, SCENARIOS
from loadtest.targets.watching import Watcher

CANNOT: Final = "the server runs elsewhere, as somebody else has started and set it"
_UNSEEN: Final = (
    "there is no probe, so only what clients see is measured; with LOADTEST_PROBE_TOKEN in the environment of the "
    "server and of the bench it is known what became of each drop"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A consumer of a server elsewhere."""

    address: Address
    entry: Entry = field(default_factory=Entry)
    """With what all users open their connections."""
    login: Login | None = None
    """How each of them signs in before; None: nobody does."""
    users_file: str = ""
    """Where their names and passwords were read."""
    watcher: Watcher

    @property
    def name(self) -> str:
        """Its address."""
        return self.address.url

    @property
    def offer(self) -> Offer:
        """One consumer, on whatever its server and its layer are."""
        consumer = Value(name=self.address.name, summary=f"what answers at {self.address.url}")
        return Offer(
            consumers=(consumer,),
            default_consumers=(consumer.name,),
            layers=(CONFIGURED.name, *LAYERS),
            default_layers=(CONFIGURED.name,),
            elsewhere=CANNOT,
            tells_busy=self.watcher.is_probe,
            installed=Installed(packages={}),
            scenarios=SCENARIOS,
            default_scenarios=DEFAULT_SCENARIOS,
            takes_work=False,
            message=TUTORIAL,
            accounts=None if self.login is None else len(self.login.accounts),
            tells_rooms_apart=ROOM in self.address.url,
            notes=self._notes,
            origin=self._origin,
        )

    def prepare(self, folder: Path, users: int = 0) -> "PreparedElsewhere":
        """Do nothing: it runs."""
        return PreparedElsewhere(target=self)

    @property
    def _notes(self) -> tuple[str, ...]:
        host, _ = self.address.place
        whose = f"THIS LOADS THE SERVER AT {host} and drops connections there; do that to a server of your own only"
        return (whose,) if self.watcher.is_probe else (whose, _UNSEEN)

    @property
    def _origin(self) -> dict[str, Any]:
        return {
            "target": self.address.url,
            "probe": self.watcher.is_probe,
            "origin": self.entry.origin,
            "subprotocol": list(self.entry.subprotocols),
            "header": [header_pair(line)[0] for line in self.entry.headers],  # names only: the values may be secrets
            "cookie": sorted(self.entry.cookies),
            "login_url": "" if self.login is None else self.login.page,
            "users_file": self.users_file,
            "ca_file": self.entry.ca_file,
            "insecure": self.entry.insecure,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedElsewhere:
    """The same, trial after trial."""

    target: Elsewhere

    def start(self, setting: Setting) -> "RunningElsewhere":
        """Return it for a trial; nothing starts."""
        return RunningElsewhere(self.target, setting)


class RunningElsewhere:
    """A server elsewhere in one trial; `with` ends what watches it."""

    def __init__(self, target: Elsewhere, setting: Setting) -> None:
        """Nothing is asked yet."""
        self._target = target
        self._setting = setting
        self._entry = target.entry
        self._watching = target.watcher.watch(setting)

    @property
    def url(self) -> str:
        """Its address."""
        return self._target.address.url

    @property
    def answers_alone(self) -> bool:
        """Not known of it: a plan says it, by rooms of one."""
        return False

    @property
    def processes(self) -> tuple[Process, ...]:
        """None that could be sampled or signalled."""
        return ()

    def entry(self, users: int) -> Entry:
        """Return with what so many users open their connections; signs them in where that is needed."""
        target = self._target
        if target.login is not None:
            sessions = sign_in(target.address.pages, target.login, users, trust_of(target.entry))
            self._entry = replace(target.entry, sessions=sessions)
        return self._entry

    def prime(self) -> None:
        """Begin to watch, and send a message through; not before, for signing in may take long."""
        self._watching.begin()
        for speaker in self._setting.own_users or [Templates(talk=self._setting.talk)]:
            send_through(speaker, self._target.address.of_first_room, self._entry)
        self._watching.wait_until_forgotten()

    def require_alive(self) -> None:
        """Raise EnvironmentFailed where it is clear that it does not run any more."""
        self._watching.require_alive()

    def open_connections(self) -> int | None:
        """Return how many connections of ours it holds; None where that is not known."""
        return self._watching.open_connections()

    @property
    def expires_s(self) -> float:
        """Return 0: nobody says what expires there."""
        return 0.0

    def read_residue(self) -> Reading:
        """Return what each of its processes holds."""
        return self._watching.read_residue()

    def stop(self) -> None:
        """Have nothing more recorded; the server runs on."""
        self._watching.end()

    def collect_ledger(self) -> CollectedLedger:
        """Return what its processes have recorded. Raises LedgerError."""
        return self._watching.collect_ledger()

    def identity(self) -> Mapping[str, str]:
        """Return the versions of what runs there, as far as they are known."""
        return self._watching.identity()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watching.forget()
