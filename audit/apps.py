"""The audit app: hooks the witness, the change capture and the guard against unnamed bulk statements."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit ledger")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit import capture, trail
        from vault import witness

        witness.install(trail.saw)
        capture.install()
