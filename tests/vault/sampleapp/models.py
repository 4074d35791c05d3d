"""Models that exist only to test the vault: a folder is its own scope, a page belongs to a folder."""

from django.db import models

from vault import masks
from vault.fields import (
    EncryptedDateField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedIntegerField,
    EncryptedJSONField,
    EncryptedTextField,
)
from vault.models import EncryptedModel


class Person(EncryptedModel):
    name = EncryptedTextField("identity", "*.name", masks.name, 60)
    alias = EncryptedTextField("identity", "*.alias", masks.name, null=True, blank=True)
    phone = EncryptedTextField("reach", "*.phone", masks.phone, null=True, blank=True)
    birth_date = EncryptedDateField("identity", "*.birth_date", null=True, blank=True)

    class Meta:
        abstract = True


class Folder(Person):
    vault_label = "folder"

    number = models.CharField(max_length=20)
    symptoms = EncryptedJSONField("health", "folder.symptoms", null=True, blank=True)
    temperature = EncryptedDecimalField("health", "folder.temperature", null=True, blank=True)
    parity = EncryptedIntegerField("health", "folder.parity", null=True, blank=True)
    note = EncryptedTextField(
        "health", "folder.note", masks.text_hidden, multiline=True, null=True, blank=True
    )


class Page(EncryptedModel):
    vault_scope = "folder_id"

    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, related_name="pages")
    seen_at = EncryptedDateTimeField("trajectory", "page.seen_at", null=True)
    place = EncryptedTextField("trajectory", "page.place", null=True)


class Companion(Person):
    """Its own scope, opened by the grants of its folder."""

    vault_guard = "folder_id"

    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, related_name="companions")


class Plain(models.Model):
    """No encrypted field of its own, only a way to one."""

    folder = models.ForeignKey(Folder, on_delete=models.PROTECT)
    text = models.CharField(max_length=40)
