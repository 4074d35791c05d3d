"""What the environment says about the provider; imports nothing, because the settings are made of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Configured:
    """One provider of single sign-on.

    issuer: exactly as the provider writes it. label: the words on the button.
    second_factors: values of ``acr`` or ``amr`` with which the provider says that it asked for a second factor.
    """

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    label: str
    second_factors: frozenset[str] = frozenset()
