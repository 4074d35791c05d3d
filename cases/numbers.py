"""Numbers of cases and contacts: counted within an outbreak, never derived from a person."""

from django.db.models import F

from cases.models.outbreaks import CaseCounter, Outbreak


def case_numbers(outbreak: Outbreak, count: int = 1) -> list[str]:
    """The next `count` case numbers, e.g. ["YT-2026-0147"].

    The counter's row stays locked until the transaction ends, so no number is given twice; a rolled-back
    transaction gives its numbers back.
    """
    last = _advance(outbreak, "last_case", count)
    return [f"{outbreak.code}-{n:04d}" for n in range(last - count + 1, last + 1)]


def contact_numbers(outbreak: Outbreak, count: int = 1) -> list[str]:
    """The next `count` contact numbers of an outbreak, e.g. ["C-0612"]."""
    last = _advance(outbreak, "last_contact", count)
    return [f"C-{n:04d}" for n in range(last - count + 1, last + 1)]


def _advance(outbreak: Outbreak, column: str, count: int) -> int:
    counter = CaseCounter.objects.filter(pk=outbreak.pk)
    if counter.update(**{column: F(column) + count}) == 0:
        raise CaseCounter.DoesNotExist(f"outbreak {outbreak.pk} has no counter")
    return int(counter.values_list(column, flat=True).get())
