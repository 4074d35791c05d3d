"""Cases that may be exported, and exports at each of their steps."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msoffcrypto
import pytest
from django.utils import timezone, translation
from python_calamine import CalamineWorkbook

from cases.models import Case
from disclosure import actions, building
from disclosure.models import Export
from tests import factories
from tests.cast import World

SMALLEST = ["case_no", "classification", "sex", "age_band", "onset_date", "district"]
WITH_NAMES = ["case_no", "full_name", "phone", "symptoms"]


@pytest.fixture(autouse=True)
def export_dir(settings: Any, tmp_path: Path) -> Path:
    place = tmp_path / "exports"
    settings.EPICASE_EXPORT_DIR = str(place)
    return place


@pytest.fixture
def more_cases(world: World) -> list[Case]:
    """Four cases of the investigator, the world's own first."""
    others = [
        factories.case(world.investigator, world.outbreak, full_name=f"示例{n}", age_value=n)
        for n in (9, 41, 85)
    ]
    return [world.case, *others]


@pytest.fixture
def ask(world: World) -> Callable[..., Export]:
    return lambda fields=SMALLEST, **words: requested(world, fields, **words)


@pytest.fixture
def approved(world: World, ask: Callable[..., Export]) -> Callable[..., Export]:
    return lambda *args, **words: approve(world, ask(*args, **words))


@pytest.fixture
def built(world: World, approved: Callable[..., Export]) -> Callable[..., Export]:
    """An export whose file is ready."""

    def _built(*args: Any, **words: Any) -> Export:
        export = approved(*args, **words)
        assert building.build(export.pk) == "built"
        return again(world, export)

    return _built


def requested(world: World, fields: list[str] = SMALLEST, **words: Any) -> Export:
    given = {
        "purpose": "P8",
        "recipient": "示例市疾控中心",
        "use_until": timezone.localdate() + timedelta(days=7),
        **words,
    }
    by = given.pop("by", world.investigator)
    with factories.as_person(by), translation.override("en"):
        return actions.request_export(Case.objects.all(), fields, by=by, **given)


def approve(world: World, export: Export) -> Export:
    with factories.as_person(world.supervisor):
        return actions.approve(export, by=world.supervisor)


def again(world: World, export: Export) -> Export:
    """The export as its requester sees it now."""
    with factories.as_person(world.investigator):
        return Export.objects.get(pk=export.pk)


def passphrase_of(world: World, export: Export) -> str:
    with factories.as_person(world.investigator):
        return actions.show_passphrase(export, by=world.investigator)


def opened(content: bytes, passphrase: str) -> io.BytesIO:
    """The workbook inside an encrypted file; raises when the passphrase is another."""
    plain = io.BytesIO()
    book = msoffcrypto.OfficeFile(io.BytesIO(content))
    book.load_key(password=passphrase, verify_password=True)
    book.decrypt(plain, verify_integrity=True)
    plain.seek(0)
    return plain


def rows(workbook: io.BytesIO) -> list[list[Any]]:
    workbook.seek(0)
    return [list(row) for row in CalamineWorkbook.from_filelike(workbook).get_sheet_by_index(0).to_python()]
