"""What `--target` and the options beside it make: a server that runs elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loadtest.bench.plan import PlanError
from loadtest.cli.entry_options import entry_of, login_of
from loadtest.load import flag_of
from loadtest.load.entry import Entry
from loadtest.load.handshake import check_ca_file
from loadtest.targets.address import Address, NoAddress, read_address
from loadtest.targets.elsewhere import Elsewhere
from loadtest.targets.opening import open_as_user
from loadtest.targets.watching import Unwatched, Watcher

OF_AN_ADDRESS: Final = ("ca_file", "insecure")
"""Options that only an address has."""
_TAKEN: Final = frozenset(
    {
        *("target", "header", "header_file", "cookie", "origin", "subprotocol", "login_url", "users_file"),
        *OF_AN_ADDRESS,
    }
)


def elsewhere_of(given: Mapping[str, Any]) -> Elsewhere:
    """Return the target at an address, which is tried.

    Raises PlanError for options that make no sense, EnvironmentFailed when the address cannot be measured as it is.
    """
    if strangers := [flag_of(name) for name in given if name not in _TAKEN]:
        raise PlanError(
            f"--target: the server runs elsewhere, so there is nothing to start here; leave out {', '.join(strangers)}"
        )
    try:
        address = read_address(given["target"])
    except NoAddress as error:
        raise PlanError(f"--target: {error}") from None
    entry, login = _entry(given), login_of(given)
    told = "" if login else _name_told(address, entry)
    return Elsewhere(
        address=address,
        entry=entry,
        login=login,
        users_file=str(Path(given["users_file"]).resolve()) if "users_file" in given else "",
        watcher=_watcher(address, told),
    )


def _watcher(address: Address, told: str) -> Watcher:
    return Unwatched(address=address, told=told)


def _entry(given: Mapping[str, Any]) -> Entry:
    ca_file = str(Path(given["ca_file"]).resolve()) if "ca_file" in given else ""
    insecure = bool(given.get("insecure"))
    if ca_file and insecure:
        raise PlanError("--insecure takes any certificate, and --ca-file only those of one CA; leave one of them out")
    try:
        check_ca_file(ca_file)
    except ValueError as error:
        raise PlanError(f"--ca-file: {error}") from None
    return replace(entry_of(given), ca_file=ca_file, insecure=insecure)


def _name_told(address: Address, entry: Entry) -> str:
    """Open a connection, and return what the server calls itself; "" where it does not say."""
    with open_as_user(address.of_first_user, entry, 0) as ws:
        return "" if ws.response is None else ws.response.headers.get("Server", "")
