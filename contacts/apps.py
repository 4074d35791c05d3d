"""The contacts application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    """Declares the rights on its tables."""

    name = "contacts"
    verbose_name = _("Contacts")

    def ready(self) -> None:
        from audit import words
        from contacts import security

        security.declare()
        words.register_pages(
            {
                "contacts:list": _("Contacts"),
                "contacts:of_case": _("Contacts"),
                "contacts:add": _("Add a contact"),
                "contacts:detail": _("Contact"),
                "contacts:edit": _("Correct the contact"),
                "contacts:import": _("Import line list"),
                "contacts:import_run": _("Import line list"),
                "contacts:import_progress": _("Import line list"),
            }
        )
        self._register_linelists()
        self._count_late()

    def _count_late(self) -> None:
        from access import navigation
        from contacts import pages

        navigation.count_with("contacts:list", pages.late)

    def _register_linelists(self) -> None:
        from cases.linelist import kinds
        from contacts.linelist.profiles import LINK_PROFILES
        from contacts.linelist.writing import LinkWriter

        kinds.register(LINK_PROFILES.values(), LinkWriter)
