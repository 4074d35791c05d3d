"""The tree of organisations: province, city, district."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A CDC of a province, city or district, known by its division code (GB/T 2260)."""

    class Level(models.TextChoices):
        PROVINCE = "province", _("Province")
        CITY = "city", _("City")
        DISTRICT = "district", _("District")

    code = models.CharField(_("division code"), max_length=6, unique=True)
    level = models.CharField(_("level"), max_length=8, choices=Level.choices)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    area_zh = models.CharField(max_length=40)
    area_en = models.CharField(max_length=60)
    # A closed organisation stays as a row: its cases, people and teams went to the one it was merged into.
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                name="organisation_parent_unless_province",
                condition=Q(level="province", parent__isnull=True)
                | (~Q(level="province") & Q(parent__isnull=False)),
            ),
            models.CheckConstraint(
                name="organisation_closed_when_merged",
                condition=Q(merged_into__isnull=True, closed_at__isnull=True)
                | Q(merged_into__isnull=False, closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="organisation_not_its_own_survivor",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
            ),
        )

    def __str__(self) -> str:
        return self.name_zh if _speaks_chinese() else self.name_en

    @property
    def audit_label(self) -> str:
        """How the ledger names this organisation."""
        return self.name_zh

    @property
    def area(self) -> str:
        """The division itself, e.g. 鹭屿区."""
        return self.area_zh if _speaks_chinese() else self.area_en


def _speaks_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")
