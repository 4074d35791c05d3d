"""What is kept about the illness of a case and about where it came from; all of it sealed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from access.purposes import Purpose
from cases.policy import Need, Retention, Sensitivity, policed
from vault import masks
from vault.classes import DataClass
from vault.fields import EncryptedDateField, EncryptedDecimalField, EncryptedJSONField, EncryptedTextField

TOTALS_IF_MANY = "generalised: totals if >=5"


class ClinicalCourse(models.Model):
    """Exposure, symptoms, conditions and care; lists of codes are stored as lists."""

    exposure_kind = policed(
        EncryptedTextField(
            DataClass.HEALTH,
            "case.exposure_kind",
            verbose_name=_("Kind of exposure"),
            mask=masks.text_hidden,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        codes="EXPOSURE",
    )
    exposure_start_date = policed(
        EncryptedDateField(
            DataClass.TRAJECTORY,
            "case.exposure_start_date",
            verbose_name=_("First exposure"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )
    exposure_end_date = policed(
        EncryptedDateField(
            DataClass.TRAJECTORY,
            "case.exposure_end_date",
            verbose_name=_("Last exposure"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )
    symptoms = policed(
        EncryptedJSONField(
            DataClass.HEALTH,
            "case.symptoms",
            verbose_name=_("Symptoms"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        disclosure=TOTALS_IF_MANY,
        need=Need.CONDITION,
        condition=_("unless without symptoms"),
        codes="SYMPTOM",
        many=True,
    )
    max_temperature = policed(
        EncryptedDecimalField(
            DataClass.HEALTH,
            "case.max_temperature",
            verbose_name=_("Highest temperature (°C)"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )
    underlying = policed(
        EncryptedJSONField(
            DataClass.HEALTH,
            "case.underlying",
            verbose_name=_("Underlying conditions"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        disclosure=TOTALS_IF_MANY,
        codes="COMORBIDITY",
        many=True,
    )
    complications = policed(
        EncryptedJSONField(
            DataClass.HEALTH,
            "case.complications",
            verbose_name=_("Complications"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        codes="COMPLICATION",
        many=True,
    )
    pregnancy = policed(
        EncryptedTextField(
            DataClass.HEALTH,
            "case.pregnancy",
            verbose_name=_("Pregnancy"),
            mask=masks.text_hidden,
            max_length=24,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
        codes="PREGNANCY",
    )
    hospital = policed(
        EncryptedTextField(
            DataClass.HEALTH,
            "case.hospital",
            verbose_name=_("Hospital"),
            mask=masks.text_hidden,
            max_length=120,
            null=True,
            blank=True,
        ),
        purpose=Purpose.ISOLATION,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        need=Need.CONDITION,
        condition=_("when admitted"),
    )
    admitted_date = policed(
        EncryptedDateField(
            DataClass.HEALTH,
            "case.admitted_date",
            verbose_name=_("Admitted"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
        need=Need.CONDITION,
        condition=_("when admitted"),
    )
    icu_date = policed(
        EncryptedDateField(
            DataClass.HEALTH,
            "case.icu_date",
            verbose_name=_("Intensive care"),
            mask=masks.text_hidden,
            null=True,
            blank=True,
        ),
        purpose=Purpose.CLASSIFY,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.STATUTORY,
    )
    summary_note = policed(
        EncryptedTextField(
            DataClass.HEALTH,
            "case.summary_note",
            verbose_name=_("Investigation note"),
            mask=masks.text_hidden,
            max_length=4000,
            null=True,
            blank=True,
        ),
        purpose=Purpose.SOURCE,
        sensitivity=Sensitivity.SENSITIVE,
        retention=Retention.EVENT,
    )

    class Meta:
        abstract = True
