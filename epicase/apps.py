from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.models.signals import post_migrate


class EpicaseConfig(AppConfig):
    name = "epicase"

    def ready(self) -> None:
        # The last app of the list: when its signal comes, every table and permission is there.
        post_migrate.connect(_secure_database, sender=self)


def _secure_database(using: str, **_: Any) -> None:
    from access import rls
    from access.postgresql import tickets
    from vault import epochs

    rls.apply(connections[using])
    ipad, opad = tickets.pads()
    with connections[using].cursor() as cursor:
        cursor.execute(
            "insert into sec.ticket_key values (1, %s, %s)"
            " on conflict (id) do update set ipad = excluded.ipad, opad = excluded.opad",
            [ipad, opad],
        )
    # No person's role may write this table, so the first wrapping keys are made here.
    epochs.forget()
    with transaction.atomic(using=using):
        epochs.ensure_all()
