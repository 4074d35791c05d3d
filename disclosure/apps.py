"""The disclosure room: everything by which data leaves."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisclosureConfig(AppConfig):
    """Exports: requested by one person, approved by another, built, downloaded once."""

    name = "disclosure"
    verbose_name = _("Disclosure")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Declare who may touch the tables, say in the navigation what waits, and end what rests on ended access."""
        from access import navigation
        from access.actions import on_revoked
        from audit import words
        from disclosure import actions, pages, security

        security.declare()
        on_revoked(actions.end_without_access)
        words.register_reasons({"access_ended": _("access to one of its cases has ended")})
        words.register_pages(
            {
                "disclosure:exports": _("Exports"),
                "disclosure:request": _("Ask for an export"),
                "disclosure:groups": _("Ask for an export"),
                "disclosure:export": _("Export"),
                "disclosure:progress": _("Export"),
                "disclosure:passphrase": _("Passphrase"),
            }
        )
        navigation.count_with("disclosure:exports", pages.waiting)
