from django.apps import AppConfig


class SampleConfig(AppConfig):
    name = "tests.vault.sampleapp"
    label = "vaultsample"
    default_auto_field = "django.db.models.BigAutoField"
