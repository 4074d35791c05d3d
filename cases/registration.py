"""Under what a case is registered: its number, its outbreak, the areas it lies in, the state of its investigation."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from access.models import Organisation
from access.purposes import Purpose
from cases.codes import CodeField
from cases.policy import Need, Retention, Sensitivity, policed


class Registration(models.Model):
    """Number, outbreak, areas and state; the areas above the district follow from it."""

    case_no = policed(
        models.CharField(_("Case number"), max_length=24, unique=True, editable=False),
        purpose=Purpose.IDENTIFY,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        search="exact, prefix",
        disclosure="never (bulletin uses none)",
        need=Need.AUTOMATIC,
    )
    outbreak = policed(
        models.ForeignKey(
            "cases.Outbreak", on_delete=models.PROTECT, related_name="cases", verbose_name=_("Outbreak")
        ),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        search="exact",
        disclosure="public",
        need=Need.OPEN,
    )
    district = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            db_index=False,
            verbose_name=_("District"),
        ),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        search="exact",
        disclosure="generalised: district",
        need=Need.OPEN,
    )
    city = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            db_index=False,
            null=True,
            editable=False,
            verbose_name=_("City"),
        ),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        need=Need.AUTOMATIC,
    )
    province = policed(
        models.ForeignKey(
            "access.Organisation",
            on_delete=models.PROTECT,
            related_name="+",
            db_index=False,
            null=True,
            editable=False,
            verbose_name=_("Province"),
        ),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        need=Need.AUTOMATIC,
    )
    status = policed(
        CodeField(_("State of investigation"), codes="CASE_STATUS", default="new"),
        purpose=Purpose.OPERATION,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        search="exact",
        need=Need.AUTOMATIC,
    )

    class Meta:
        abstract = True

    def place_in(self, district: Organisation) -> None:
        """Put the case into a district and the areas above it."""
        self.district = district
        self.city = district.parent
        self.province = district.parent.parent if district.parent else None

    @property
    def is_closed(self) -> bool:
        """Has the investigation ended?"""
        return self.status in ("closed", "archived")
