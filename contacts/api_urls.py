from access.api_paths import api_path
from contacts import api

urlpatterns = [
    *api_path("contacts", api.Contacts.as_view(), "api-contacts"),
    *api_path("cases/<uuid:case_id>/contacts", api.CaseContacts.as_view(), "api-case-contacts"),
]
