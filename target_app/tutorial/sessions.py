"""Sessions of users who were made for a load test, and how they are known when they are to go."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

PREFIX = "loadtest"
"""All keys of our sessions begin so, and no other one does: of 36 characters each has eight of chance."""
DOMAIN = "@example.invalid"
"""Nobody has an address there (RFC 2606 2)."""
RANDOM = 24
"""Characters of a key that nobody can guess; Django's own has 32 of the same."""


@transaction.atomic
def make_sessions(count: int) -> list[dict[str, str]]:
    """Make so many users, none with a password, and return the cookies of each as one who is signed in."""
    users = get_user_model().objects.bulk_create(
        get_user_model()(username=f"{PREFIX}-{number}{DOMAIN}", password=make_password(None)) for number in range(count)
    )
    sessions = Session.objects.bulk_create(map(_session_of, users))
    return [{settings.SESSION_COOKIE_NAME: session.session_key} for session in sessions]


def forget_sessions() -> int:
    """Delete those users and their sessions; returns how many rows."""
    sessions, _ = Session.objects.filter(session_key__startswith=PREFIX).delete()
    users, _ = get_user_model().objects.filter(username__startswith=f"{PREFIX}-", username__endswith=DOMAIN).delete()
    return sessions + users


def _session_of(user: AbstractBaseUser) -> Session:
    signed_in = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    return Session(
        session_key=PREFIX + get_random_string(RANDOM, VALID_KEY_CHARS),
        session_data=SessionStore().encode(signed_in),
        expire_date=timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
