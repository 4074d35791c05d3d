"""Acts that take access back, teams, stand-ins and single-use grants."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_requests"),
        ("cases", "0002_disease_profiles"),
    ]

    operations = [
        migrations.CreateModel(
            name="Revocation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("one", "One person's access to one case"),
                            ("person", "All access of a person"),
                            ("case", "All access to a case"),
                            ("organisation", "All access of an organisation's people"),
                            ("chosen", "Chosen grants"),
                            ("team", "Access that came with a team"),
                            ("stand_in", "Access as a stand-in"),
                        ],
                        max_length=12,
                    ),
                ),
                ("n_grants", models.PositiveIntegerField()),
                ("n_people", models.PositiveIntegerField()),
                ("n_exports", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.organisation",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="EndedAccess",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("codenames", models.JSONField(default=list)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.case"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revocation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ended",
                        to="access.revocation",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("revocation", "user", "case"), name="ended_once_per_act")
                ],
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "team",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="accessdecision",
            name="stands_in_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="casegrant",
            name="single_use",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="casegrant",
            name="used_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="accessdecision",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Opened the case"),
                    ("direct", "Given by a supervisor"),
                    ("request", "Asked for and approved"),
                    ("bulk", "Given for several cases"),
                    ("team", "Given to a team"),
                    ("stand_in", "Stands in for a colleague"),
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
                    ("bulk", "Given for several cases"),
                    ("team", "Given to a team"),
                    ("stand_in", "Stands in for a colleague"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="casegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("used_at__isnull", True), ("single_use", True), _connector="OR"),
                name="grant_used_only_when_single",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="teams", to="access.organisation"
            ),
        ),
        migrations.AddField(
            model_name="accessdecision",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="access.team",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "team"), ("team__isnull", False)),
                    models.Q(models.Q(("kind", "team"), _negated=True), ("team__isnull", True)),
                    _connector="OR",
                ),
                name="decision_of_a_team_names_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "stand_in"), ("stands_in_for__isnull", False)),
                    models.Q(models.Q(("kind", "stand_in"), _negated=True), ("stands_in_for__isnull", True)),
                    _connector="OR",
                ),
                name="decision_of_a_stand_in_names_who_is_absent",
            ),
        ),
        migrations.AddField(
            model_name="teammember",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="members", to="access.team"
            ),
        ),
        migrations.AddField(
            model_name="teammember",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="teams", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                fields=("organisation", "name"), name="team_name_once_per_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="teammember",
            constraint=models.UniqueConstraint(fields=("team", "user"), name="team_member_once"),
        ),
        # Functions of the schema `sec` insert grants too, and name no column that they do not mean.
        migrations.RunSQL(
            "alter table access_casegrant alter column single_use set default false",
            "alter table access_casegrant alter column single_use drop default",
        ),
    ]
