"""Every address of epicase. None of them holds personal data."""

from django.conf import settings
from django.urls import include, path

from epicase import api_urls, gallery, health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/", include(api_urls)),
    path("", include("cases.urls")),
    path("contacts/", include("contacts.urls")),
    path("access/", include("access.urls")),
    path("audit/", include("audit.urls")),
    path("disclosure/", include("disclosure.urls")),
]
if settings.EPICASE_DEV or settings.EPICASE_TEST:
    urlpatterns.append(path("parts/", gallery.parts, name="parts"))

handler400 = "epicase.answers.bad_request"
handler403 = "epicase.answers.refused"
handler404 = "epicase.answers.not_found"
handler500 = "epicase.answers.failed"
