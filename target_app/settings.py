"""Settings of the reference app; whatever a run changes comes from the environment.

DATABASE_URL    any Django database, as dj-database-url reads it; default: SQLite in db.sqlite3 next to manage.py
CHANNEL_LAYERS  Django's whole setting of that name, as JSON; default: the in-memory layer
SECRET_KEY      default: a fixed key, good for a server on loopback only
ALLOWED_HOSTS   more names the server answers to, comma-separated; loopback always works
"""

import json
import os
from pathlib import Path
from typing import Any

import dj_database_url

HERE = Path(__file__).resolve().parent

SQLITE_OPTIONS = {
    # Many connections write at the same moment. WAL lets readers go on meanwhile; a writer takes its lock at the start
    # of its transaction and waits for it, because upgrading a read lock later fails at once with "database is locked".
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
}
CONNECTION_MAX_AGE_S = 600
"""Channels asks Django to close old connections around every message: with Django's default of 0 each message would
open the database anew, and the measurement would be one of that."""


def _database(url: str) -> dict[str, Any]:
    database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=CONNECTION_MAX_AGE_S))
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {**SQLITE_OPTIONS, **database.get("OPTIONS", {})}
    return database


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


SECRET_KEY = os.environ.get("SECRET_KEY", "a-fixed-key-for-a-server-on-loopback-that-holds-no-secret")
DEBUG = False  # with DEBUG Django keeps every query in memory
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *_names(os.environ.get("ALLOWED_HOSTS", ""))]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "loadtest.probe",
    "target_app.presence",
    "target_app.tutorial",
]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "target_app.urls"
ASGI_APPLICATION = "target_app.asgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "templates"]}]

DATABASES = {"default": _database(os.environ.get("DATABASE_URL") or f"sqlite:///{HERE / 'db.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = json.loads(
    os.environ.get("CHANNEL_LAYERS") or '{"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}'
)

LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"

USE_TZ = True
TIME_ZONE = "UTC"

LOADTEST = {"PRESENCE": "target_app.presence.online_connections"}
