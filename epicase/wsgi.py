"""The web process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "epicase.settings")

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from epicase import startup

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    startup.leave(error)
# Tasks asked for by a page go to the broker of the settings.
import epicase.celery  # noqa: F401

startup.refuse_or_leave()
