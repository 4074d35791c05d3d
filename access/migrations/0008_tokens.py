"""Personal tokens of the API."""

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0007_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("stamp", models.UUIDField(editable=False)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("P1", "Identify the person, avoid duplicates"),
                            ("P2", "Reach the person"),
                            ("P3", "Find the source"),
                            ("P4", "Trace contacts"),
                            ("P5", "Classify, follow the clinical course"),
                            ("P6", "Isolation and observation"),
                            ("P7", "Notify another body"),
                            ("P9", "Accountability, supervision"),
                        ],
                        max_length=4,
                        verbose_name="purpose",
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), size=None, verbose_name="permitted"
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(verbose_name="ends")),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["user", "-created_at"], name="token_of_person")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__gt", models.F("created_at")),
                            (
                                "expires_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("created_at"), "+", models.Value(datetime.timedelta(days=90))
                                ),
                            ),
                        ),
                        name="token_ends_within_90_days",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("token_hash__regex", "^[0-9a-f]{64}$")), name="token_hash_is_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scopes__contained_by",
                                ["cases", "reveal", "contacts", "grants", "give", "ledger"],
                            ),
                            ("scopes__len__gte", 1),
                        ),
                        name="token_scopes_known",
                    ),
                ],
            },
        ),
    ]
