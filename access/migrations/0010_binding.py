"""Who is who at the provider of single sign-on."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0009_work_and_factors")]

    operations = [
        migrations.CreateModel(
            name="Binding",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("issuer", models.CharField(max_length=200, verbose_name="provider")),
                ("subject_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("bound_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="bound")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bindings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "single sign-on",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "issuer"), name="binding_one_per_provider"),
                    models.CheckConstraint(
                        condition=models.Q(("subject_hash__regex", "^[0-9a-f]{64}$")),
                        name="binding_hash_is_one",
                    ),
                ],
            },
        ),
    ]
