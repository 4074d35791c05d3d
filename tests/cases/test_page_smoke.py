"""Every page of the cases room opens for those who may, and for nobody else."""

from typing import Any

import pytest
from django.urls import reverse

from tests.cast import World

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def pages(world: World) -> list[str]:
    case = world.case.pk
    return [
        reverse("cases:work"),
        reverse("cases:list"),
        reverse("cases:open"),
        reverse("cases:detail", args=[case]),
        reverse("cases:purpose", args=[case]),
        reverse("cases:movements", args=[case]),
        reverse("cases:outbreaks"),
        reverse("cases:outbreak", args=[world.outbreak.pk]),
        reverse("cases:dictionary"),
    ]


@pytest.mark.parametrize("role", ["investigator", "supervisor"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_open(world: World, signed_in: Any, role: str, language: str) -> None:
    client = signed_in(getattr(world, role))
    client.post(reverse("access:language"), {"language": language})
    for url in pages(world):
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert "欧阳种植" not in answer.content.decode(), url
        assert "10000004471" not in answer.content.decode(), url
