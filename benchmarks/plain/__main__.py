"""The twin's process: reads orders as JSON lines, answers each with one line."""

# ruff: noqa: E402  (models can be imported once Django is ready)

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.plain.settings"

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction

from benchmarks import wsgi
from benchmarks.plain import views

_cookies: dict[int, str] = {}
_get = wsgi.caller()


def _tables() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)


def _people(names: list[str]) -> list[int]:
    made = User.objects.bulk_create([User(username=name, first_name=name, password="!") for name in names])
    return [user.pk for user in made]


def _sign_in(ids: list[int]) -> None:
    for user in User.objects.filter(pk__in=ids):
        _cookies[user.pk] = wsgi.signed_in(user, "django.contrib.auth.backends.ModelBackend")


def _walk(ids: list[int]) -> list[float]:
    """Database and reading of the names, in one transaction as at the product's side."""
    return [_timed(lambda user_id=user_id: _names(user_id)) for user_id in ids]


def _names(user_id: int) -> list[Any]:
    with transaction.atomic():
        return [case.full_name for case in views.page(user_id)[0]]


def _list(ids: list[int]) -> list[float]:
    return [_timed(lambda user_id=user_id: _get("/api/v1/cases", _cookies[user_id])) for user_id in ids]


def _detail(pairs: list[tuple[int, str]]) -> list[float]:
    return [
        _timed(lambda who=who, case=case: _get(f"/api/v1/cases/{case}", _cookies[who])) for who, case in pairs
    ]


def _area_walk(level: str, place: int) -> float:
    return _timed(lambda: _area_names(level, place))


def _area_names(level: str, place: int) -> list[Any]:
    with transaction.atomic():
        return [case.full_name for case in views.area_page(level, place)[0]]


def _area_list(user_id: int, level: str, place: int) -> float:
    return _timed(lambda: _get(f"/api/v1/cases?level={level}&place={place}", _cookies[user_id]))


def _timed(way: Callable[[], Any]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


ORDERS: dict[str, Callable[..., Any]] = {
    "tables": _tables, "people": _people, "sign_in": _sign_in, "walk": _walk, "list": _list, "detail": _detail,
    "area_walk": _area_walk, "area_list": _area_list,
}  # fmt: skip


def main() -> None:
    """Obey until the input ends."""
    for line in sys.stdin:
        order, *given = json.loads(line)
        print(json.dumps(ORDERS[order](*given)), flush=True)


if __name__ == "__main__":
    main()
