"""Emergency access, notices and reviews."""

import uuid

import django.db.models.deletion
import django.utils.timezone
import access.models.grants
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0004_bulk")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="reveals_per_hour",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="shown values an hour"),
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=24)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "about",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.accessdecision",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notice",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["person", "-created_at"], name="notice_of_person"),
                    models.Index(
                        condition=models.Q(("read_at__isnull", True)), fields=["person"], name="notice_unread"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DecisionReview",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("justified", "Justified"),
                            ("not_justified", "Not justified"),
                            ("unclear", "Not clear"),
                        ],
                        max_length=16,
                        verbose_name="verdict",
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=200, verbose_name="in words")),
                ("reviewed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "review",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="EmergencyAccess",
            fields=[
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="emergency",
                        serialize=False,
                        to="access.accessdecision",
                    ),
                ),
                ("case_no", models.CharField(max_length=24)),
                (
                    "reason_code",
                    models.CharField(
                        choices=[
                            ("life_threat", "Life-threatening clinical state"),
                            ("tracing_night", "Contacts must be traced now, out of hours"),
                            ("unreachable", "The supervisor cannot be reached"),
                            ("other", "Another reason, in words"),
                        ],
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ends_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "emergency access",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="QuotaBreach",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("happened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("quota", models.PositiveIntegerField()),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("justified", "Justified"),
                            ("not_justified", "Not justified"),
                            ("unclear", "Not clear"),
                        ],
                        max_length=16,
                        verbose_name="verdict",
                    ),
                ),
                ("reviewed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "exceeded quota",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RevealTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slot", models.DateTimeField()),
                ("shown", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="casegrant",
            name="grant_nobody_to_oneself",
        ),
        migrations.AlterField(
            model_name="accessdecision",
            name="kind",
            field=models.CharField(choices=access.models.grants.kinds, max_length=12),
        ),
        migrations.AlterField(
            model_name="casegrant",
            name="kind",
            field=models.CharField(choices=access.models.grants.kinds, max_length=12),
        ),
        migrations.AddConstraint(
            model_name="casegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("user", models.F("granted_by")), _negated=True),
                    ("kind__in", ("created", "emergency")),
                    _connector="OR",
                ),
                name="grant_nobody_to_oneself",
            ),
        ),
        migrations.AddField(
            model_name="decisionreview",
            name="decision",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="review", to="access.accessdecision"
            ),
        ),
        migrations.AddField(
            model_name="decisionreview",
            name="reviewed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="emergencyaccess",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="emergencyaccess",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="emergencies",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="quotabreach",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.organisation"
            ),
        ),
        migrations.AddField(
            model_name="quotabreach",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="quotabreach",
            name="reviewed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="revealtally",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="decisionreview",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ("justified", "not_justified", "unclear"))),
                name="review_verdict_known",
            ),
        ),
        migrations.AddIndex(
            model_name="emergencyaccess",
            index=models.Index(fields=["person", "-opened_at"], name="emergency_of_person"),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("opened_at"))), name="emergency_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason_code__in", ("life_threat", "tracing_night", "unreachable", "other"))
                ),
                name="emergency_reason_known",
            ),
        ),
        migrations.AddIndex(
            model_name="quotabreach",
            index=models.Index(fields=["person", "-happened_at"], name="breach_of_person"),
        ),
        migrations.AddConstraint(
            model_name="quotabreach",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reviewed_at__isnull", True), ("reviewed_by__isnull", True), ("verdict", "")),
                    models.Q(
                        ("reviewed_at__isnull", False),
                        ("reviewed_by__isnull", False),
                        ("verdict__in", ("justified", "not_justified", "unclear")),
                    ),
                    _connector="OR",
                ),
                name="breach_reviewed_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="quotabreach",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewed_by__isnull", True),
                    models.Q(("reviewed_by", models.F("person")), _negated=True),
                    _connector="OR",
                ),
                name="breach_reviewed_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="revealtally",
            constraint=models.UniqueConstraint(fields=("person", "slot"), name="tally_one_per_slot"),
        ),
    ]
