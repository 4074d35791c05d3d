from django.urls import path

from contacts import views, views_import

app_name = "contacts"
urlpatterns = [
    path("", views.contacts, name="list"),
    path("case/<uuid:case_id>/", views.of_case, name="of_case"),
    path("case/<uuid:case_id>/add/", views.add, name="add"),
    path("import/", views_import.begin, name="import"),
    path("import/<uuid:run_id>/", views_import.run, name="import_run"),
    path("import/<uuid:run_id>/progress/", views_import.progress, name="import_progress"),
    path("import/<uuid:run_id>/start/", views_import.start, name="import_start"),
    path("import/<uuid:run_id>/discard/", views_import.discard, name="import_discard"),
    path("<uuid:contact_id>/", views.detail, name="detail"),
    path("<uuid:contact_id>/edit/", views.edit, name="edit"),
    path("<uuid:contact_id>/status/", views.status, name="status"),
    path("<uuid:contact_id>/purpose/", views.ask_again, name="ask_again"),
    path("<uuid:contact_id>/reveal/<slug:field>/", views.show, name="reveal"),
]
