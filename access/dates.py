"""Days and moments as every page says them: MM-DD, with the year when it is not this one; local time."""

from datetime import date, datetime

from django.utils import timezone


def day_words(day: date) -> str:
    """MM-DD, with the year when it is not this one; of a moment, its local day."""
    if isinstance(day, datetime):
        day = timezone.localdate(day) if timezone.is_aware(day) else day.date()
    return f"{day:%m-%d}" if day.year == timezone.localdate().year else day.isoformat()


def moment_words(moment: datetime, *, seconds: bool = False) -> str:
    """Day and local time."""
    local = timezone.localtime(moment)
    return f"{day_words(local)} {local:{'%H:%M:%S' if seconds else '%H:%M'}}"
