"""Django's entry for the presence app."""

from django.apps import AppConfig


class PresenceConfig(AppConfig):
    """One table: who is online."""

    name = "target_app.presence"
