"""The ledger's tables, their partitions, and the triggers that make them insert-only and fill the queue."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from audit import partitions, sql

INSERT_ONLY = ("audit_event", "audit_touch", "audit_leaf", "audit_checkpoint")


def make_tables(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute(sql.EVENT_TABLE)
    schema_editor.execute(sql.TOUCH_TABLE)


def make_guards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    schema_editor.execute(sql.REFUSE_FUNCTION, params=None)
    for table in INSERT_ONLY:
        schema_editor.execute(sql.insert_only(table))
    for table in partitions.TABLES:
        schema_editor.execute(sql.no_truncate(f"{table}_default"))
    partitions.ensure_ahead(using=connection.alias)
    sql.run_as_sec(connection, sql.ENQUEUE_FUNCTION)
    schema_editor.execute(sql.ENQUEUE_TRIGGER)
    schema_editor.execute("grant insert on audit_pending to epi_sec")


def drop_tables(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("drop table if exists audit_event; drop table if exists audit_touch")


def drop_guards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("drop trigger if exists audit_enqueue on audit_event")
    for table in INSERT_ONLY:
        schema_editor.execute(f"drop trigger if exists audit_no_change on {table}")
        schema_editor.execute(f"drop trigger if exists audit_no_truncate on {table}")
    schema_editor.execute("drop function if exists audit_refuse_change() cascade")
    sql.run_as_sec(schema_editor.connection, "drop function if exists sec.audit_enqueue()")


class Migration(migrations.Migration):
    initial = True

    dependencies = [("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ("occurred_at", models.DateTimeField(verbose_name="time")),
                        ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                        ("act", models.TextField(verbose_name="act")),
                        (
                            "outcome",
                            models.SmallIntegerField(
                                choices=[(0, "ok"), (1, "refused"), (2, "failed")],
                                default=0,
                                verbose_name="outcome",
                            ),
                        ),
                        ("actor_id", models.UUIDField(null=True, verbose_name="user")),
                        ("actor_name", models.TextField(verbose_name="user name")),
                        ("role", models.TextField(verbose_name="role")),
                        ("org_id", models.IntegerField(null=True, verbose_name="organisation")),
                        ("org_name", models.TextField(verbose_name="organisation name")),
                        ("object_pk", models.TextField(verbose_name="object key")),
                        ("object_id", models.UUIDField(null=True, verbose_name="object id")),
                        ("object_label", models.TextField(verbose_name="case number")),
                        ("request_id", models.UUIDField(verbose_name="request")),
                        ("purpose", models.TextField(verbose_name="purpose")),
                        ("grant_id", models.UUIDField(null=True, verbose_name="grant")),
                        ("decision_id", models.UUIDField(null=True, verbose_name="decision")),
                        ("n_objects", models.IntegerField(default=0, verbose_name="objects touched")),
                        ("session_h", models.BinaryField(verbose_name="session fingerprint")),
                        ("ip", models.GenericIPAddressField(null=True, verbose_name="address")),
                        ("trace_code", models.TextField(verbose_name="trace code")),
                        ("salt", models.BinaryField()),
                        ("body", models.BinaryField()),
                        ("mac", models.BinaryField()),
                        (
                            "content_type",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="contenttypes.contenttype",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "event",
                        "verbose_name_plural": "events",
                        "db_table": "audit_event",
                        "ordering": ("-occurred_at", "-id"),
                        "get_latest_by": "occurred_at",
                        "permissions": [
                            ("view_ledger", "Can read the ledger"),
                            ("verify_ledger", "Can verify the ledger"),
                            ("export_ledger", "Can export evidence from the ledger"),
                            ("view_own_events", "Can read their own events"),
                        ],
                        "default_permissions": (),
                    },
                ),
                migrations.CreateModel(
                    name="Touch",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "event_id",
                                "object_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("event_id", models.UUIDField()),
                        ("object_id", models.UUIDField()),
                        ("subject_h", models.BinaryField(null=True)),
                    ],
                    options={"db_table": "audit_touch", "default_permissions": ()},
                ),
            ],
            database_operations=[migrations.RunPython(make_tables, drop_tables)],
        ),
        migrations.CreateModel(
            name="Pending",
            fields=[
                ("seq", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField()),
                ("occurred_at", models.DateTimeField()),
            ],
            options={"db_table": "audit_pending", "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("leaf_index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField(unique=True)),
                ("occurred_at", models.DateTimeField()),
                ("leaf_hash", models.BinaryField()),
                ("mac_ok", models.BooleanField(default=True)),
            ],
            options={"db_table": "audit_leaf", "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Tile",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level", "idx", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("idx", models.BigIntegerField()),
                ("hashes", models.BinaryField()),
            ],
            options={"db_table": "audit_tile", "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="TreeState",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(default=0)),
                ("frontier", models.BinaryField(default=b"")),
                ("origin", models.TextField(default="")),
                ("epoch", models.IntegerField(default=1)),
                ("published_size", models.BigIntegerField(default=0)),
                ("sealed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "audit_state",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="audit_state_one_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "audit_checkpoint", "default_permissions": (), "get_latest_by": "size"},
        ),
        migrations.RunPython(make_guards, drop_guards),
    ]
