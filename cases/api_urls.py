from access.api_paths import api_path
from cases import api

urlpatterns = [
    *api_path("cases", api.Cases.as_view(), "api-cases"),
    *api_path("cases/search", api.CaseSearch.as_view(), "api-case-search"),
    *api_path("cases/<uuid:case_id>", api.CaseDetail.as_view(), "api-case"),
    *api_path("cases/<uuid:case_id>/visits", api.CaseVisits.as_view(), "api-case-visits"),
    *api_path("cases/<uuid:case_id>/reveal", api.CaseReveal.as_view(), "api-case-reveal"),
]
