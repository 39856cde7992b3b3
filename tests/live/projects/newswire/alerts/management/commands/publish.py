from django.core.management.base import BaseCommand

from alerts.publishing import publish


class Command(BaseCommand):
    help = "Send an alert to all who read a topic."

    def add_arguments(self, parser):
        parser.add_argument("topic", type=int)
        parser.add_argument("text")

    def handle(self, *, topic, text, **options):
        publish(topic, text)
