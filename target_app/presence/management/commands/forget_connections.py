"""`manage.py forget_connections`: delete what a load test left: the presence rows of its connections, and its users."""

from typing import Any

from django.core.management.base import BaseCommand

from target_app.presence.models import Presence
from target_app.tutorial.sessions import forget_sessions


class Command(BaseCommand):
    """Deletes presence rows that carry a load test's connection number, and users whom make_sessions made."""

    help = "Delete the presence rows of a load test's connections and the users whom it made, and no others."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete them and say how many there were."""
        deleted, _ = Presence.objects.filter(connection__isnull=False).delete()
        deleted += forget_sessions()
        self.stdout.write(f"{deleted} rows deleted")
