"""What is kept about a person, the same for a case and for a contact."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from cases.codes import CodeField
from cases.policy import Need, Retention, Sensitivity, policed
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedDateField, EncryptedTextField

TOTALS = "generalised: totals only"


class Person(models.Model):
    """The fields of a person; embedded, so that each record can be destroyed alone."""

    full_name = policed(
        EncryptedTextField(
            DataClass.IDENTITY,
            "*.full_name",
            verbose_name=_("Name"),
            mask=masks.name,
            max_length=80,
            null=True,
            blank=True,
        ),
        purpose=Purpose.IDENTIFY,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
        search="exact(blind)",
        need=Need.OPEN,
    )
    id_kind = policed(
        CodeField(_("Kind of document"), codes="ID_KIND", blank=True),
        purpose=Purpose.IDENTIFY,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
        data_class=DataClass.IDENTITY,
        search="exact",
        need=Need.CONDITION,
        condition=_("when a number is given"),
    )
    id_number = policed(
        EncryptedTextField(
            DataClass.IDENTITY,
            "*.id_number",
            verbose_name=_("ID number"),
            mask=masks.id_last2,
            max_length=32,
            null=True,
            blank=True,
        ),
        purpose=Purpose.IDENTIFY,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
        search="exact(blind)",
        need=Need.CONDITION,
        condition=_("only when the statutory report card needs it"),
    )
    sex = policed(
        CodeField(_("Sex"), codes="SEX", blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.IDENTITY,
        search="exact",
        disclosure=TOTALS,
        need=Need.OPEN,
    )
    birth_date = policed(
        EncryptedDateField(
            DataClass.IDENTITY,
            "*.birth_date",
            verbose_name=_("Date of birth"),
            mask=masks.redact,
            null=True,
            blank=True,
        ),
        purpose=Purpose.IDENTIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        search="exact(blind)",
        need=Need.CONDITION,
        condition=_("when the age is not known"),
    )
    age_value = policed(
        models.PositiveSmallIntegerField(
            _("Age"), null=True, blank=True, validators=[MaxValueValidator(130)]
        ),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.IDENTITY,
        search="range(band)",
        disclosure="generalised: 10y band, totals only",
        need=Need.OPEN,
    )
    age_unit = policed(
        CodeField(_("Unit of age"), codes="AGE_UNIT", default="Y", blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.INTERNAL,
        retention=Retention.STATUTORY,
        data_class=DataClass.IDENTITY,
        need=Need.CONDITION,
        condition=_("when an age is given"),
    )
    nationality = policed(
        EncryptedTextField(
            DataClass.IDENTITY,
            "*.nationality",
            verbose_name=_("Nationality"),
            mask=masks.redact,
            max_length=2,
            null=True,
            blank=True,
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        need=Need.CONDITION,
        condition=_("for an imported case (two letters of ISO 3166)"),
    )
    occupation_group = policed(
        CodeField(_("Occupation"), codes="OCCUPATION", blank=True),
        purpose=Purpose.STATISTICS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.IDENTITY,
        search="exact",
        disclosure=TOTALS,
        need=Need.OPEN,
    )
    is_health_worker = policed(
        CodeField(_("Health worker"), codes="YNU", blank=True),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.STATUTORY,
        data_class=DataClass.IDENTITY,
        search="exact",
        disclosure=TOTALS,
        need=Need.OPEN,
    )
    guardian_name = policed(
        EncryptedTextField(
            DataClass.IDENTITY,
            "*.guardian_name",
            verbose_name=_("Guardian"),
            mask=masks.name,
            max_length=80,
            null=True,
            blank=True,
        ),
        purpose=Purpose.REACH,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
        need=Need.CONDITION,
        condition=_("for a child under 14"),
    )
    guardian_relation = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.guardian_relation",
            verbose_name=_("Guardian's relation"),
            mask=masks.redact,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.REACH,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
        need=Need.CONDITION,
        condition=_("for a child under 14"),
        codes="RELATION",
    )
    phone = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.phone",
            verbose_name=_("Phone"),
            mask=masks.phone,
            max_length=64,
            null=True,
            blank=True,
        ),
        purpose=Purpose.REACH,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
        search="exact(blind)",
        need=Need.OPEN,
    )
    town = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.town",
            verbose_name=_("Town or sub-district"),
            mask=masks.redact,
            max_length=80,
            null=True,
            blank=True,
        ),
        purpose=Purpose.NOTIFY,
        sensitivity=Sensitivity.QUASI,
        retention=Retention.EVENT,
        disclosure="generalised: only if k>=20",
        need=Need.OPEN,
    )
    street = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.street",
            verbose_name=_("Street, village or estate"),
            mask=masks.address_street,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )
    address_detail = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.address_detail",
            verbose_name=_("House number, room"),
            mask=masks.redact,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.ISOLATION,
        sensitivity=Sensitivity.DIRECT,
        retention=Retention.EVENT,
        need=Need.CONDITION,
        condition=_("for isolation or disinfection at home"),
    )
    workplace_name = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.workplace_name",
            verbose_name=_("Workplace"),
            mask=masks.redact,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CONTACTS,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        search="exact(blind)",
        need=Need.CONDITION,
        condition=_("for exposure or contacts at work"),
    )
    school_name = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.school_name",
            verbose_name=_("School or nursery"),
            mask=masks.redact,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.NOTIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        search="exact(blind)",
        need=Need.CONDITION,
        condition=_("for pupils, students and nursery children"),
    )
    school_class = policed(
        EncryptedTextField(
            DataClass.REACH,
            "*.school_class",
            verbose_name=_("School class"),
            mask=masks.redact,
            max_length=40,
            null=True,
            blank=True,
        ),
        purpose=Purpose.NOTIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        need=Need.CONDITION,
        condition=_("when a school is given"),
    )

    class Meta:
        abstract = True

    @property
    def is_minor(self) -> bool:
        """Is the person known to be under 14 (sensitive by itself: PIPL article 31)?"""
        years = self.age_years
        return years is not None and years < 14

    @property
    def age_years(self) -> int | None:
        """Completed years; an age in months or days counts as 0 or 1 year."""
        if self.age_value is None:
            return None
        if self.age_unit == "M":
            return self.age_value // 12
        return 0 if self.age_unit == "D" else self.age_value
