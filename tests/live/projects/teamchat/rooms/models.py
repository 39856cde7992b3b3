from django.db import models


class Visit(models.Model):
    room = models.CharField(max_length=100)
    channel = models.CharField(max_length=200, unique=True)
    since = models.DateTimeField(auto_now_add=True)
