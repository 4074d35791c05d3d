"""Fills an empty installation: organisations, accounts, one synthetic outbreak, who works on it, and who asks to.

Runs once, as the owner of the tables: no role of the application may make accounts.
"""

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from access.actions import ledger_actor
from access.actor import acting_as_owner
from access.models import Organisation, User
from audit import trail
from audit.acts import Act
from cases.models import CaseCounter, DiseaseProfile, Outbreak
from epicase.demo import accounts, facts, grants, outbreak, wishes
from epicase.demo.city import CITY_CODE
from epicase.demo.records import Store

TRUTH = "demo-truth.json"


def seed(today: date | None = None) -> bool:
    """Make the demo, unless it is there; whether anything was made. Its truth goes to the state folder."""
    if not (settings.EPICASE_DEMO or settings.EPICASE_TEST):
        raise ImproperlyConfigured("the demo's accounts have a published password: only with EPICASE_DEMO=1")
    made = outbreak.generate(today or timezone.localdate())
    # All of it or nothing: a seed that is killed halfway is begun again.
    with transaction.atomic():
        demo = _make(made)
    if demo is not None:
        _write_truth(demo.store)
    return demo is not None


@dataclass(frozen=True)
class _Demo:
    people: dict[str, User]
    store: Store


def _make(made: facts.Outbreak) -> _Demo | None:
    with acting_as_owner(), trail.audit_job("demo_seed"):
        if User.objects.filter(username=accounts.ACCOUNTS[0].username).exists():
            return None
        demo = _fill(made)
        trail.record(Act.DEMO_SEED, demo.store.outbreak, counts=_counts(made))
    _grant(demo)
    return demo


def _fill(made: facts.Outbreak) -> _Demo:
    areas = accounts.make_organisations()
    people = accounts.make_accounts(areas)
    city, supervisor = areas[CITY_CODE], people["supervisor"]
    started = min(case.onset_date or case.first_positive_date for case in made.cases)
    year = made.today.year
    first = _open(f"YT-{year}", "新冠病毒聚集性疫情", "covid-19", started, city, supervisor)
    _open("MERS-2015", "MERS 2015（导入练习）", "mers", date(2015, 5, 11), city, supervisor)
    store = Store(made, first, people, areas)
    store.write()
    return _Demo(people, store)


def _open(  # noqa: PLR0917 (the words of one sentence)
    code: str, name: str, disease: str, started: date, organisation: Organisation, by: User
) -> Outbreak:
    opened = Outbreak(
        code=code,
        name=name,
        disease=DiseaseProfile.objects.get(code=disease),
        organisation=organisation,
        opened_by=by,
        started_on=started,
        legal_basis=["IDL62", "PIPL13_3"],
    )
    opened.save(force_insert=True)
    CaseCounter(outbreak=opened).save(force_insert=True)
    return opened


def _grant(demo: _Demo) -> None:
    supervisor, investigator = demo.people["supervisor"], demo.people["investigator"]
    with acting_as_owner(), trail.audit_job("demo_seed", ledger_actor(supervisor)):
        grants.issue_grants(demo.store.cases, demo.people)
    with acting_as_owner(), trail.audit_job("demo_seed", ledger_actor(investigator)):
        grants.record_example_acts(demo.store.cases, investigator)
    wishes.ask(demo.store.cases, demo.people)


def _counts(made: facts.Outbreak) -> dict[str, int]:
    return {
        "cases": len(made.cases),
        "visits": made.visit_count,
        "contacts": len(made.contacts),
        "links": len(made.links),
        "places": len(made.places),
    }


def _write_truth(store: Store) -> None:
    path = Path(settings.STATE_DIR) / TRUTH
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(store.truth(), file, ensure_ascii=False, indent=1)
