"""The ledger's tables. All are insert-only but the queue of unsealed events and the tree's one state row.

The database's own shape (partitions, triggers, the composite primary key) is written by hand in the
migrations; Django's state knows the columns. Nothing may hold a foreign key to an event.
"""

from typing import Any, NoReturn

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.acts import Outcome
from audit.errors import DirectWriteRefused


class LedgerManager(LogEntryManager):  # type: ignore[misc]  # django-auditlog has no types
    """The funnel under django-auditlog: whatever it captures waits for the act it belongs to."""

    def log_create(self, instance: models.Model, force_log: bool = False, **kwargs: Any) -> None:
        """Keep a captured change until the flush; only names and allow-listed codes survive."""
        from audit import capture

        capture.keep(instance, kwargs.get("action"), kwargs.get("changes"), force=force_log)

    def log_m2m_changes(
        self, changed_queryset: Any, instance: models.Model, operation: str, field_name: str, **kwargs: Any
    ) -> None:
        """Keep a changed relation by its name; the related rows are not described."""
        from audit import capture

        capture.keep(instance, 1, {field_name: (None, None)}, force=True)

    def create(self, **kwargs: Any) -> NoReturn:
        """Refuse: events are written by `audit.trail` alone."""
        raise DirectWriteRefused("use audit.trail.record")


class Event(AbstractLogEntry):  # type: ignore[misc]  # django-auditlog has no types
    """One act of a person, or of a job, with what it touched. `body` is sealed; the rest is its index."""

    # What django-auditlog would keep and the ledger must not: values, and links that could be cut.
    object_repr = None
    serialized_data = None
    action = None
    changes_text = None
    changes = None
    actor = None
    cid = None
    remote_addr = None
    remote_port = None
    timestamp = None
    additional_data = None
    actor_email = None

    id = models.UUIDField(primary_key=True, editable=False)
    occurred_at = models.DateTimeField(_("time"))
    recorded_at = models.DateTimeField(_("recorded at"))
    act = models.TextField(_("act"))
    outcome = models.SmallIntegerField(
        _("outcome"),
        choices=[(int(outcome), outcome.name.lower()) for outcome in Outcome],
        default=Outcome.OK,
    )
    actor_id = models.UUIDField(_("user"), null=True)
    actor_name = models.TextField(_("user name"))
    role = models.TextField(_("role"))
    org_id = models.IntegerField(_("organisation"), null=True)
    org_name = models.TextField(_("organisation name"))
    content_type = models.ForeignKey(
        "contenttypes.ContentType",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    object_pk = models.TextField(_("object key"))
    object_id = models.UUIDField(_("object id"), null=True)
    object_label = models.TextField(_("case number"))
    request_id = models.UUIDField(_("request"))
    purpose = models.TextField(_("purpose"))
    grant_id = models.UUIDField(_("grant"), null=True)
    decision_id = models.UUIDField(_("decision"), null=True)
    n_objects = models.IntegerField(_("objects touched"), default=0)
    session_h = models.BinaryField(_("session fingerprint"))
    ip = models.GenericIPAddressField(_("address"), null=True)
    trace_code = models.TextField(_("trace code"))
    salt = models.BinaryField()
    body = models.BinaryField()
    mac = models.BinaryField()

    objects = LedgerManager()

    class Meta:
        db_table = "audit_event"
        ordering = ("-occurred_at", "-id")
        get_latest_by = "occurred_at"
        default_permissions = ()
        permissions = [
            ("view_ledger", "Can read the ledger"),
            ("verify_ledger", "Can verify the ledger"),
            ("export_ledger", "Can export evidence from the ledger"),
            ("view_own_events", "Can read their own events"),
        ]
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.act} {self.id}"


class Touch(models.Model):
    """One record that an event touched: answers "who saw this case, or this person"."""

    pk = models.CompositePrimaryKey("event_id", "object_id")
    occurred_at = models.DateTimeField()
    event_id = models.UUIDField()
    object_id = models.UUIDField()
    subject_h = models.BinaryField(null=True)

    class Meta:
        db_table = "audit_touch"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.event_id} {self.object_id}"


class Pending(models.Model):
    """The queue of events that wait to be sealed; a trigger fills it, the sealer drains it."""

    seq = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField()
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "audit_pending"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.seq} {self.event_id}"


class Leaf(models.Model):
    """An event's place in the tree. `mac_ok` is false when its row was altered before it was sealed."""

    leaf_index = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    occurred_at = models.DateTimeField()
    leaf_hash = models.BinaryField()
    mac_ok = models.BooleanField(default=True)

    class Meta:
        db_table = "audit_leaf"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.leaf_index)


class Tile(models.Model):
    """Up to 256 hashes of one level of the tree (C2SP tlog-tiles); these outlive the events."""

    pk = models.CompositePrimaryKey("level", "idx")
    level = models.SmallIntegerField()
    idx = models.BigIntegerField()
    hashes = models.BinaryField()

    class Meta:
        db_table = "audit_tile"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.level}/{self.idx}"


class TreeState(models.Model):
    """The one row that says how far the tree has grown, and how far it has been published."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    frontier = models.BinaryField(default=b"")
    origin = models.TextField(default="")
    epoch = models.IntegerField(default=1)
    published_size = models.BigIntegerField(default=0)
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "audit_state"
        default_permissions = ()
        constraints = [models.CheckConstraint(name="audit_state_one_row", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"{self.origin} {self.size}"


class Checkpoint(models.Model):
    """A signed statement of the tree's size and root (C2SP tlog-checkpoint)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "audit_checkpoint"
        default_permissions = ()
        get_latest_by = "size"

    def __str__(self) -> str:
        return str(self.size)
