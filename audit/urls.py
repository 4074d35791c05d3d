from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.log, name="log"),
    path("case/<uuid:object_id>/", views.case, name="case"),
    path("person/<uuid:actor_id>/", views.person, name="person"),
    path("events/<uuid:event_id>/", views.event, name="event"),
    path("events/<uuid:event_id>/proof/", views.proof, name="proof"),
    path("events/<uuid:event_id>/body/", views.body, name="body"),
    path("integrity/", views.integrity, name="integrity"),
    path("verify/", views.verify, name="verify"),
    path("verify/progress/", views.verify_progress, name="verify_progress"),
    path("checkpoint/", views.checkpoint, name="checkpoint"),
    path("mine/", views.mine, name="mine"),
]
