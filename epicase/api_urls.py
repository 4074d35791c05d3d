"""The addresses of the API, version 1."""

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularYAMLAPIView

urlpatterns = [
    path("schema/", SpectacularYAMLAPIView.as_view(), name="api-schema"),
    path("schema.json", SpectacularJSONAPIView.as_view(), name="api-schema-json"),
    path("v1/", include("cases.api_urls")),
    path("v1/", include("contacts.api_urls")),
    path("v1/", include("access.api_urls")),
    path("v1/", include("audit.api_urls")),
]
