"""Invitations, ends of accounts, organisations that move."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0005_emergency")]

    operations = [
        migrations.CreateModel(
            name="AccountChange",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("investigator", "Investigator"),
                            ("supervisor", "Supervisor"),
                            ("auditor", "Auditor"),
                            ("privacy", "Privacy officer"),
                            ("secadmin", "Security administrator"),
                            ("sysadmin", "System administrator"),
                            ("partner", "Partner"),
                        ],
                        max_length=16,
                        verbose_name="role",
                    ),
                ),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("is_temporary", models.BooleanField(default=False, verbose_name="temporary")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="account ends")),
                ("reason", models.CharField(max_length=12, verbose_name="reason")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "verdict",
                    models.CharField(
                        blank=True, choices=[("confirmed", "Confirmed"), ("refused", "Refused")], max_length=9
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "account change",
                "ordering": ("-asked_at",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("code_hash", models.BinaryField(max_length=32, unique=True)),
                ("username", models.CharField(max_length=64, verbose_name="user name")),
                ("display_name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("investigator", "Investigator"),
                            ("supervisor", "Supervisor"),
                            ("auditor", "Auditor"),
                            ("privacy", "Privacy officer"),
                            ("secadmin", "Security administrator"),
                            ("sysadmin", "System administrator"),
                            ("partner", "Partner"),
                        ],
                        max_length=16,
                        verbose_name="role",
                    ),
                ),
                ("language", models.CharField(default="zh-hans", max_length=8, verbose_name="language")),
                ("is_temporary", models.BooleanField(default=False, verbose_name="temporary")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="account ends")),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "invitation",
                "ordering": ("-made_at",),
                "default_permissions": (),
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="organisation",
            name="closed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="organisation",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged",
                to="access.organisation",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="ends_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="account ends"),
        ),
        migrations.AddField(
            model_name="user",
            name="is_temporary",
            field=models.BooleanField(default=False, verbose_name="temporary"),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("merged_into__isnull", True)),
                    models.Q(("closed_at__isnull", False), ("merged_into__isnull", False)),
                    _connector="OR",
                ),
                name="organisation_closed_when_merged",
            ),
        ),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True),
                    models.Q(("merged_into", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="organisation_not_its_own_survivor",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_temporary", False),
                    models.Q(("ends_at__isnull", False), ("role__in", ("investigator", "partner"))),
                    _connector="OR",
                ),
                name="user_temporary_is_narrow",
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.organisation"
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.organisation"
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="person",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="accountchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="account_change_second_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("verdict", "")),
                    models.Q(
                        models.Q(("verdict", ""), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="account_change_decided_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("made_at")),
                    (
                        "expires_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("made_at"), "+", models.Value(datetime.timedelta(days=3))
                        ),
                    ),
                ),
                name="invitation_at_most_72_hours",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by__isnull", True),
                    models.Q(("confirmed_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="invitation_confirmed_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("person__isnull", True),
                    models.Q(("person", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="invitation_not_for_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_temporary", False),
                    models.Q(("ends_at__isnull", False), ("role__in", ("investigator", "partner"))),
                    _connector="OR",
                ),
                name="invitation_temporary_is_narrow",
            ),
        ),
    ]
