from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "access"

    def ready(self) -> None:
        from access import keys, navigation, security, waiting
        from access.actions.accounts import FACTOR_REASON_WORDS, REASON_WORDS
        from access.actions.emergency import REFUSALS
        from access.models import AccessRequest, EmergencyAccess, Verdict
        from access.purposes import Purpose
        from access.roles import Role
        from audit import words

        words.register_purposes(dict(Purpose.choices))
        words.register_roles(dict(Role.choices))
        words.register_pages(
            {
                "access:grants": _("Grants"),
                "access:case": _("Access"),
                "access:emergency": _("Emergency access"),
                "access:ask": _("Ask for access"),
                "access:tokens": _("Tokens of the API"),
                "access:extend": _("Ask for longer"),
                "access:pledge": _("Pledge"),
                "access:why": _("Why can I see a case?"),
            }
        )
        words.register_reasons(REASON_WORDS | FACTOR_REASON_WORDS | {"handed_over": _("handed over")})
        words.register_reasons(dict(EmergencyAccess.Reason.choices) | dict(Verdict.choices) | REFUSALS)
        words.register_reasons(dict(AccessRequest.Refusal.choices))
        words.register_reasons(
            {
                "sso.bound": _("bound to the provider"),
                "sso.unbound": _("unbound from the provider"),
                "sso.taken": _("bound already"),
                "sso.state": _("no such way to the provider, or not any more"),
                "sso.token": _("the provider's word did not pass the checks"),
                "sso.stranger": _("nobody's account is bound to it"),
                "sso.ended": _("the account does not work any more"),
                "sso.provider": _("the provider did not answer as agreed"),
            }
        )
        security.declare()
        keys.install()
        navigation.count_with("access:requests", waiting.requests)
        navigation.count_with("access:reviews", waiting.reviews)
