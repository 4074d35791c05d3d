from audit import api
from audit.api_paths import api_path

urlpatterns = [
    *api_path("audit/events", api.Events.as_view(), "api-audit-events"),
    *api_path("audit/events/<uuid:event_id>/proof", api.Proof.as_view(), "api-audit-proof"),
    *api_path("audit/checkpoint", api.CheckpointView.as_view(), "api-audit-checkpoint"),
]
