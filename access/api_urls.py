from access import api
from access.api_paths import api_path

urlpatterns = [
    *api_path("grants", api.Grants.as_view(), "api-grants"),
    *api_path("grants/<uuid:grant_id>", api.Grant.as_view(), "api-grant"),
]
