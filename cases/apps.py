"""The cases application."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    """Registers the checks that keep every field declared and lawful, and the rights on its tables."""

    name = "cases"
    verbose_name = _("Cases")

    def ready(self) -> None:
        from audit import words
        from cases import checks, security  # noqa: F401  checks register themselves

        security.declare()
        words.register_pages(self._pages())
        self._register_linelists()

    @staticmethod
    def _pages() -> dict[str, Any]:
        return {
            "cases:work": _("Today"),
            "cases:list": _("Cases"),
            "cases:open": _("Open a case"),
            "cases:detail": _("Case"),
            "cases:purpose": _("Purpose"),
            "cases:purpose_for": _("Purpose"),
            "cases:edit": _("Correct the record"),
            "cases:movements": _("Movements"),
            "cases:show_movements": _("Movements"),
            "cases:add_visit": _("Movements"),
            "cases:visit": _("Movements"),
            "cases:outbreaks": _("Outbreaks"),
            "cases:outbreak": _("Outbreak"),
            "cases:open_outbreak": _("Open an outbreak"),
            "cases:dictionary": _("Data dictionary"),
        }

    def _register_linelists(self) -> None:
        from cases.linelist import kinds
        from cases.linelist.profiles import CASE_PROFILES
        from cases.linelist.writing import CaseWriter

        kinds.register(CASE_PROFILES.values(), CaseWriter)
