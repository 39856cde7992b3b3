"""What `--target` and the options beside it make: a server that runs elsewhere."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loadtest.bench.plan import PlanError
from loadtest.cli.entry_options import entry_of, login_of
from loadtest.contract.elsewhere import HOW_TO_MAKE, LEAST_TOKEN, TOKEN_VARIABLE
from loadtest.load import flag_of
from loadtest.load.entry import Entry
from loadtest.load.given_file import GivenFileError, read_given
from loadtest.load.handshake import check_ca_file
from loadtest.targets.address import Address, NoAddress, read_address
from loadtest.targets.elsewhere import Elsewhere
from loadtest.targets.opening import open_as_user, trust_of
from loadtest.targets.probe_client import ProbeClient
from loadtest.targets.probed_elsewhere import ProbeElsewhere
from loadtest.targets.watching import Unwatched, Watcher

OF_AN_ADDRESS: Final = ("ca_file", "insecure", "probe_token_file")
"""Options that only an address has."""
_TOKEN: Final = re.compile(rf"[!-~]{{{LEAST_TOKEN},}}")
"""What can stand in a header as it is."""
_TAKEN: Final = frozenset(
    {
        *("target", "header", "header_file", "cookie", "origin", "subprotocol", "login_url", "users_file"),
        *OF_AN_ADDRESS,
    }
)
_NAMES_ONLY: Final = frozenset({"header", "cookie"})
"""What a manifest has the names of only."""


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
    entry, login, token = _entry(given), login_of(given), _token(given.get("probe_token_file"))
    told = "" if login else _name_told(address, entry)
    return Elsewhere(
        address=address,
        entry=entry,
        login=login,
        users_file=str(Path(given["users_file"]).resolve()) if "users_file" in given else "",
        watcher=_watcher(address, entry, token, told),
    )


def resumed_elsewhere(origin: Mapping[str, Any], given: Mapping[str, Any]) -> Elsewhere:
    """Return the target of a run that is resumed; PlanError where the run had the probe and its token is not given."""
    if origin.get("probe") and not _token(given.get("probe_token_file")):
        raise PlanError(f"--resume: the run had the probe; give its token again, as {TOKEN_VARIABLE}")
    kept = {name: value for name, value in origin.items() if name in _TAKEN - _NAMES_ONLY and value}
    return elsewhere_of({**kept, **given})


def _watcher(address: Address, entry: Entry, token: str, told: str) -> Watcher:
    if not token:
        return Unwatched(address=address, told=told)
    trust = trust_of(entry) if address.is_secure else None
    return ProbeElsewhere.reached(ProbeClient(pages=address.pages, token=token, trust=trust), told)


def _token(file: Path | None) -> str:
    """Return the token of the server's probe, from a file or the environment; "" where there is none."""
    if file is None:
        token, source = os.environ.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE
    else:
        token, source = _read(file), f"--probe-token-file {file}"
    if (token or file) and not _TOKEN.fullmatch(token):
        raise PlanError(f"{source}: that is no token of {LEAST_TOKEN} or more letters and digits; {HOW_TO_MAKE}")
    return token


def _read(file: Path) -> str:
    try:
        return read_given(file).strip()
    except GivenFileError as error:
        raise PlanError(f"--probe-token-file {file} cannot be read: {error}") from None


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
