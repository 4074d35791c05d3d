"""Requests for access and their answers."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0002_grants"), ("cases", "0002_disease_profiles")]

    operations = [
        migrations.AlterField(
            model_name="accessdecision",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Opened the case"),
                    ("direct", "Given by a supervisor"),
                    ("request", "Asked for and approved"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="casegrant",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Opened the case"),
                    ("direct", "Given by a supervisor"),
                    ("request", "Asked for and approved"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ask", "Asked for"),
                            ("proposal", "Proposed by a supervisor"),
                            ("extension", "Asked for longer"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "case_no",
                    models.CharField(
                        max_length=24,
                        validators=[django.core.validators.RegexValidator("^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")],
                        verbose_name="case number",
                    ),
                ),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), size=None, verbose_name="permitted"
                    ),
                ),
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
                            ("P8", "Statistics"),
                            ("P9", "Accountability, supervision"),
                            ("P10", "Warn the public"),
                            ("P11", "Operation of the system"),
                        ],
                        max_length=4,
                        verbose_name="purpose",
                    ),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("days", models.PositiveSmallIntegerField(verbose_name="days")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Waiting"),
                            ("waiting_second", "Waiting for a second approval"),
                            ("approved", "Approved"),
                            ("refused", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Not answered in 7 days"),
                        ],
                        default="open",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "given_permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), null=True, size=None
                    ),
                ),
                ("given_days", models.PositiveSmallIntegerField(null=True)),
                (
                    "refusal",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not_needed", "Not needed for this purpose"),
                            ("other_person", "Somebody else works on it"),
                            ("too_wide", "Too much: ask for less"),
                            ("wrong_purpose", "Not for this purpose"),
                            ("unclear", "The reason is not clear: ask again"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "asker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="cases.case",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "first_approver",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "request for access",
                "verbose_name_plural": "requests for access",
                "default_permissions": (),
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="accessdecision",
            name="request",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decision",
                to="access.accessrequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_approver__isnull", True), ("request__isnull", False), _connector="OR"
                ),
                name="decision_second_approver_has_a_request",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(fields=["asker", "-created_at"], name="request_of_asker"),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(fields=["case", "-created_at"], name="request_of_case"),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(("status__in", ("open", "waiting_second"))),
                fields=["created_at"],
                name="request_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("ask", "extension")), ("person", models.F("asker"))),
                    models.Q(
                        ("first_approver", models.F("asker")),
                        ("kind", "proposal"),
                        models.Q(("person", models.F("asker")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="request_for_oneself_unless_proposed",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("case_no__regex", "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")),
                name="request_case_no_is_plain",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("permissions__contains", ["view_case"]),
                    (
                        "permissions__contained_by",
                        [
                            "view_case",
                            "change_case",
                            "export_case",
                            "reveal_identity",
                            "reveal_reach",
                            "reveal_health",
                            "reveal_trajectory",
                        ],
                    ),
                ),
                name="request_permissions_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__gte", 1), ("days__lte", 90)), name="request_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose", "P8"), _negated=True),
                    models.Q(("permissions__overlap", ["reveal_identity", "reveal_reach"]), _negated=True),
                    _connector="OR",
                ),
                name="request_research_without_identity",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason__regex", "\\S.{8,}\\S"),
                    models.Q(("reason__regex", "[[:cntrl:]]"), _negated=True),
                ),
                name="request_reason_says_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("given_days__isnull", True), ("given_permissions__isnull", True)),
                    models.Q(
                        ("given_days__gte", 1),
                        ("given_days__lte", models.F("days")),
                        ("given_permissions__contained_by", models.F("permissions")),
                        ("given_permissions__contains", ["view_case"]),
                    ),
                    _connector="OR",
                ),
                name="request_given_within_asked",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(
                        models.Q(("decided_by", models.F("asker")), _negated=True),
                        models.Q(("decided_by", models.F("person")), _negated=True),
                        models.Q(
                            ("first_approver__isnull", True),
                            models.Q(("decided_by", models.F("first_approver")), _negated=True),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="request_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("first_approver__isnull", True),
                    models.Q(("first_approver", models.F("person")), _negated=True),
                    _connector="OR",
                ),
                name="request_first_approver_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "waiting_second"), _negated=True),
                    models.Q(
                        ("first_approver__isnull", False),
                        ("given_days__isnull", False),
                        ("given_permissions__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="request_second_has_a_first",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "approved"), _negated=True),
                    ("first_approver__isnull", False),
                    models.Q(("given_days__lte", 30), models.Q(("purpose", "P8"), _negated=True)),
                    _connector="OR",
                ),
                name="request_long_has_two_approvers",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True),
                        ("decided_by__isnull", True),
                        ("status__in", ("open", "waiting_second")),
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", True),
                        ("status__in", ("withdrawn", "expired")),
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        ("status", "refused"),
                        models.Q(("refusal", ""), _negated=True),
                    ),
                    models.Q(
                        ("case__isnull", False),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        ("given_days__isnull", False),
                        ("given_permissions__isnull", False),
                        ("status", "approved"),
                    ),
                    _connector="OR",
                ),
                name="request_answer_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("open", "waiting_second"))),
                fields=("person", "case_no", "kind"),
                name="request_once_at_a_time",
            ),
        ),
    ]
