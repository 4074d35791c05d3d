"""The Celery application: sealing, exports, imports. Tasks carry identifiers, never events or personal data."""

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import task_failure, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from epicase import startup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "epicase.settings")

try:
    # Celery reads settings late and wraps what goes wrong: read them now, and say it in one line.
    settings.INSTALLED_APPS  # noqa: B018  reading is the point
except ImproperlyConfigured as error:
    startup.leave(error)

app = Celery("epicase")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

log = logging.getLogger("epicase.tasks")
# Celery would print the error's words and traceback, and these may quote a value: `name_failure` tells the type.
logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)


@worker_init.connect
def refuse_unsafe_worker(**_: object) -> None:
    startup.refuse_or_leave()


@task_failure.connect
def name_failure(
    sender: Any = None, task_id: str = "", exception: BaseException | None = None, **_: object
) -> None:
    """Log which task failed, and with which type of error."""
    log.error("task %s %s failed: %s", getattr(sender, "name", ""), task_id, type(exception).__name__)
