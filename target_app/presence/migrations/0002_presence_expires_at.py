"""Presence that expires."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("presence", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="presence",
            name="expires_at",
            field=models.DateTimeField(help_text="online until then; empty: until it is taken offline", null=True),
        ),
    ]
