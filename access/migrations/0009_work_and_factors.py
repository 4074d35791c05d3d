"""Work that is handed over, and second factors that are reset: whose, and in which role grants ended."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0008_tokens"),
    ]

    operations = [
        migrations.AddField(
            model_name="accessdecision",
            name="taken_over_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="resets_factors",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="granthistory",
            name="by_role",
            field=models.CharField(default="", max_length=16),
        ),
        migrations.AddField(
            model_name="granthistory",
            name="single_use",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="revocation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("one", "One person's access to one case"),
                    ("person", "All access of a person"),
                    ("case", "All access to a case"),
                    ("organisation", "All access of an organisation's people"),
                    ("chosen", "Chosen grants"),
                    ("team", "Access that came with a team"),
                    ("stand_in", "Access as a stand-in"),
                    ("handover", "Work that was handed over"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="granthistory",
            index=models.Index(
                condition=models.Q(("by_role", "ep_secadmin"), ("change", "delete")),
                fields=["user_id", "happened_at"],
                name="grant_history_left",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "handover"), ("taken_over_from__isnull", False)),
                    models.Q(
                        models.Q(("kind", "handover"), _negated=True), ("taken_over_from__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="decision_of_a_hand_over_names_whose_work",
            ),
        ),
    ]
