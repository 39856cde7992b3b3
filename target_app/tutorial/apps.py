"""Django's entry for the tutorials' app."""

from django.apps import AppConfig


class TutorialConfig(AppConfig):
    """Consumers as tutorials teach them, the command that signs users in, and a runserver that speaks WebSocket."""

    name = "target_app.tutorial"
