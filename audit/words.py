"""Words for the codes in events. Rooms to the left register theirs; the ledger itself keeps codes only."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext_lazy as _

from vault.models import EncryptedModel

_purposes: dict[str, Any] = {}
_roles: dict[str, Any] = {"job": _("the system")}
_reasons: dict[str, Any] = {
    "400": _("the request was not understood"),
    "401": _("not signed in"),
    "403": _("this role may not do it"),
    "404": _("no access, or no such record"),
    "405": _("not this way"),
    "409": _("somebody else was faster"),
    "410": _("not there any more"),
    "422": _("something was missing or wrong"),
    "429": _("too many attempts"),
    "500": _("an error in the program"),
    "503": _("something it needs was not there"),
    "csrf": _("the form was not sent from our page, or was too old"),
    "no_grant": _("not in the grant"),
    "purpose_not_granted": _("the grant is for another purpose"),
    "quota": _("more values in an hour than allowed"),
    "pledge": _("the pledge was not accepted yet"),
    "used_up": _("it had been downloaded before"),
    "wrong_password": _("wrong password"),
    "wrong_code": _("wrong code of the second factor"),
    "wrong_confirmation": _("not confirmed"),
    "totp_added": _("authenticator app added"),
    "totp_removed": _("authenticator app removed"),
    "passkey_added": _("passkey added"),
    "passkey_removed": _("passkey removed"),
    "recovery_codes_made": _("new recovery codes"),
    "unknown_name": _("unknown name"),
    "too_many_failures": _("too many failures"),
    "invitation": _("by invitation"),
    "invitation.unknown": _("no such code, or not any more"),
}
_pages: dict[str, Any] = {
    "audit:log": _("Log"),
    "audit:case": _("Responsibility"),
    "audit:event": _("Event"),
    "audit:integrity": _("Integrity"),
    "audit:verify": _("Integrity"),
    "audit:mine": _("My own log"),
}
_classes: dict[str, Any] = {
    "identity": _("identity"),
    "reach": _("contact details"),
    "health": _("health"),
    "trajectory": _("movements"),
}


def register_purposes(labels: Mapping[str, Any]) -> None:
    """Let a room say what its purpose codes mean."""
    _purposes.update(labels)


def register_roles(labels: Mapping[str, Any]) -> None:
    """Let a room say what its roles are called."""
    _roles.update(labels)


def register_reasons(labels: Mapping[str, Any]) -> None:
    """Let a room say what its reason codes mean."""
    _reasons.update(labels)


def register_pages(titles: Mapping[str, Any]) -> None:
    """Let a room say what its pages are called, by the name of their address."""
    _pages.update(titles)


def purposes() -> list[tuple[str, str]]:
    """Every known purpose, as choices."""
    return [(code, str(label)) for code, label in _purposes.items()]


def purpose(code: str) -> str:
    """A purpose in the reader's language; the code itself when nobody has said what it means."""
    return str(_purposes.get(code, code))


def role(code: str) -> str:
    """A role in the reader's language."""
    return str(_roles.get(code, code))


def reason(code: str) -> str:
    """A reason in the reader's language."""
    return str(_reasons.get(code, code))


def page(view: str) -> str:
    """A page's title in the reader's language; nothing when its room has not said."""
    return str(_pages.get(view, ""))


def data_class(code: str) -> str:
    """A data class in the reader's language."""
    return str(_classes.get(code, code))


def kind(model_label: str) -> str:
    """What a model's records are called."""
    try:
        return str(apps.get_model(model_label)._meta.verbose_name)
    except (LookupError, ValueError):
        return model_label


def field(model_label: str, name: str) -> str:
    """What a field is called; without a model, what the first protected model with such a field calls it."""
    if not model_label:
        return _common_name(name)
    try:
        return str(getattr(apps.get_model(model_label)._meta.get_field(name), "verbose_name", name))
    except (LookupError, ValueError, FieldDoesNotExist):
        return name


def _common_name(name: str) -> str:
    for model in apps.get_models():
        if issubclass(model, EncryptedModel):
            with suppress(FieldDoesNotExist):
                return str(getattr(model._meta.get_field(name), "verbose_name", name))
    return name
