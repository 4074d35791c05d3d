"""The two addresses of the twin."""

from django.urls import path

from benchmarks.plain import views

urlpatterns = [
    path("api/v1/cases", views.Cases.as_view()),
    path("api/v1/cases/<uuid:case_id>", views.CaseDetail.as_view()),
]
