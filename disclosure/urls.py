"""Addresses of the disclosure room; identifiers are random and say nothing."""

from django.urls import path

from disclosure import views

app_name = "disclosure"

urlpatterns = [
    path("", views.exports, name="exports"),
    path("new/", views.request_export, name="request"),
    path("new/groups/", views.groups, name="groups"),
    path("<uuid:export_id>/", views.export, name="export"),
    path("<uuid:export_id>/approve/", views.approve, name="approve"),
    path("<uuid:export_id>/reject/", views.reject, name="reject"),
    path("<uuid:export_id>/withdraw/", views.withdraw, name="withdraw"),
    path("<uuid:export_id>/progress/", views.progress, name="progress"),
    path("<uuid:export_id>/passphrase/", views.passphrase, name="passphrase"),
    path("<uuid:export_id>/download/", views.download, name="download"),
]
