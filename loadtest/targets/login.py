"""Login: signs users in by the form of a page, as a browser does it: Django's own, or another one of the kind."""

import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.cookies import CookieError, SimpleCookie
from ssl import SSLContext
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.login_form import find_login_form
from loadtest.targets.opening import connection_to

ANSWER_S: Final = 30.0
"""Checking a password takes Django half a second; of a busy machine more."""
LARGEST_PAGE: Final = 2**20
_ADVICE: Final = (
    "is the password right, and is the user in the database that the app uses here? --before may make users, in a "
    "scratch one too"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who can sign in."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How users sign in."""

    page: str
    """The path, or the whole address, of the page with the form."""
    accounts: tuple[Account, ...] = ()
    """One for each user; none: they are made for the test, in its scratch database."""


Session = dict[str, str]
"""The cookies that somebody has who is signed in."""


def sign_in(base: str, login: Login, users: int, trust: SSLContext | None = None) -> tuple[Session, ...]:
    """Sign in so many users, one after the other, at an app whose pages are at `base`, and return their cookies.

    `trust` says which certificates are taken where pages are behind https; None: those that the system trusts.

    Raises EnvironmentFailed, which names the account and what was answered, but no password.
    """
    page = urljoin(base, login.page)
    ask = partial(_ask, trust)
    return tuple(_session(ask, page, account) for account in login.accounts[:users])


def _session(ask: "_Ask", page: str, account: Account) -> Session:
    cookies: Session = {}
    shown = ask(page, cookies)
    if shown.status != http.client.OK:
        raise EnvironmentFailed(f"there is no login page at {page}: it answered {shown}")
    form = find_login_form(shown.body)
    if form is None:
        raise EnvironmentFailed(f"the page at {page} has no form with a name and a password")
    before = dict(cookies)
    answer = ask(urljoin(page, form.action), cookies, form.filled(account.name, account.password), referer=page)
    if not answer.is_redirect or not cookies.keys() - before.keys():
        raise EnvironmentFailed(f"{account.name!r} could not sign in at {page}: it answered {answer}; {_ADVICE}")
    return cookies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    location: str
    body: str = field(repr=False)

    @property
    def is_redirect(self) -> bool:
        return http.client.MULTIPLE_CHOICES <= self.status < http.client.BAD_REQUEST

    def __str__(self) -> str:
        where = f" to {self.location}" if self.location else ""
        form = " with the form again" if not self.is_redirect and find_login_form(self.body) else ""
        return f"HTTP {self.status}{where}{form}"


_Ask = Callable[..., _Answer]


def _ask(
    trust: SSLContext | None, url: str, cookies: Session, data: dict[str, str] | None = None, *, referer: str = ""
) -> _Answer:
    """Get a page, or post to it, and take its cookies over; whether they are for HTTPS only plays no part here."""
    parts = urlsplit(url)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    if data is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": referer}
    connection = connection_to(parts.scheme, parts.netloc, trust, timeout_s=ANSWER_S)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if data is None else "POST", target, urlencode(data) if data else None, headers)
        response = connection.getresponse()
        cookies |= _cookies_in(response.headers.get_all("Set-Cookie", []))
        body = response.read(LARGEST_PAGE).decode(errors="replace")
        return _Answer(status=response.status, location=response.getheader("Location", ""), body=body)
    except (OSError, http.client.HTTPException) as error:
        raise EnvironmentFailed(f"{url} cannot be asked: {error!r}") from error
    finally:
        connection.close()


def _cookies_in(lines: Sequence[str]) -> Session:
    found: Session = {}
    for line in lines:
        try:
            found |= {name: one.value for name, one in SimpleCookie(line).items()}
        except CookieError:  # one that browsers refuse as well
            continue
    return found
