"""Why someone opens personal data: work purposes, each mapped to HL7 v3 PurposeOfUse (ActReason)."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """The closed list; an event and a decision keep the code, never free text."""

    IDENTIFY = "P1", _("Identify the person, avoid duplicates")
    REACH = "P2", _("Reach the person")
    SOURCE = "P3", _("Find the source")
    CONTACTS = "P4", _("Trace contacts")
    CLASSIFY = "P5", _("Classify, follow the clinical course")
    ISOLATION = "P6", _("Isolation and observation")
    NOTIFY = "P7", _("Notify another body")
    STATISTICS = "P8", _("Statistics")
    ACCOUNTABILITY = "P9", _("Accountability, supervision")
    WARN = "P10", _("Warn the public")
    OPERATION = "P11", _("Operation of the system")


HL7: Final[dict[str, str]] = {
    Purpose.IDENTIFY: "PUBHLTH",
    Purpose.REACH: "PUBHLTH",
    Purpose.SOURCE: "PUBHLTH",
    Purpose.CONTACTS: "PUBHLTH",
    Purpose.CLASSIFY: "TREAT",
    Purpose.ISOLATION: "PUBHLTH",
    Purpose.NOTIFY: "PUBHLTH",
    Purpose.STATISTICS: "HRESCH",
    Purpose.ACCOUNTABILITY: "HOPERAT",
    Purpose.WARN: "PUBHLTH",
    Purpose.OPERATION: "HSYSADMIN",
}

# What a person may give as the reason to show a value; statistics and operation never need one.
REVEAL: Final = (
    Purpose.IDENTIFY,
    Purpose.REACH,
    Purpose.SOURCE,
    Purpose.CONTACTS,
    Purpose.CLASSIFY,
    Purpose.ISOLATION,
    Purpose.NOTIFY,
    Purpose.ACCOUNTABILITY,
)
REVEAL_CHOICES: Final = [(purpose.value, purpose.label) for purpose in REVEAL]
# What access may be asked for and given: statistics besides, which needs a second approver.
GRANTABLE: Final = (*REVEAL, Purpose.STATISTICS)
GRANTABLE_CHOICES: Final = [(purpose.value, purpose.label) for purpose in GRANTABLE]
