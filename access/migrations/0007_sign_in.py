"""Second factors, pledges and the list of signed-in browsers."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0006_people")]

    operations = [
        migrations.AddField("session", "address", models.CharField(blank=True, default="", max_length=40)),
        migrations.AddField("session", "agent", models.CharField(blank=True, default="", max_length=40)),
        migrations.AddField("session", "seen_at", models.DateTimeField(null=True)),
        migrations.AddField("session", "started_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "session",
            "user",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="Pledge",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("version", models.PositiveSmallIntegerField(verbose_name="version")),
                (
                    "accepted_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="accepted"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pledges",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["user", "version", "accepted_at"], name="pledge_of_user")],
            },
        ),
    ]
