"""`manage.py forget_connections`: delete the presence rows of a load test's connections, and no others."""

from typing import Any

from django.core.management.base import BaseCommand

from target_app.presence.models import Presence


class Command(BaseCommand):
    """Deletes presence rows that carry a load test's connection number."""

    help = "Delete the presence rows of a load test's connections, and no others."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete them and say how many there were."""
        deleted, _ = Presence.objects.filter(connection__isnull=False).delete()
        self.stdout.write(f"{deleted} rows deleted")
