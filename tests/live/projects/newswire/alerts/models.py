from django.db import models


class Reader(models.Model):
    """Somebody who has a topic open just now."""

    topic = models.IntegerField()
    channel = models.CharField(max_length=200, unique=True)


def reading():
    return Reader.objects.values_list("channel", flat=True)
