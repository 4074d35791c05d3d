"""Ship the disease profiles: figures from the literature, each with its source; protocols differ, so check them."""

from django.db import migrations

PROTOCOL = "Windows and observation: an example of a protocol, set your own."
LESSLER = "10.1016/S1473-3099(09)70069-6"
FIELDS = (
    "code", "name_en", "name_zh", "law_class",
    "incubation_min_days", "incubation_median_days", "incubation_max_days",
    "infectious_before_days", "infectious_after_days", "observation_days", "test_days",
    "serial_interval_mean_days", "serial_interval_sd_days", "source", "source_doi",
)  # fmt: skip
PROFILES = (
    ("covid-19", "COVID-19", "新型冠状病毒感染", "B", "2.0", "5.1", "14.0", "2.0", "10.0", 7, [1, 2, 3, 5, 7],
     "4.70", "2.90",
     f"Incubation: Lauer 2020 (middle 95 %: 2.2 to 11.5 days), longest by protocol; serial interval: Nishiura 2020. {PROTOCOL}",
     "10.7326/M20-0504"),
    ("sars", "SARS", "传染性非典型肺炎", "B_as_A", "1.5", "4.0", "10.6", "0.0", "10.0", 10, [],
     None, None, f"Incubation: Lessler 2009 (middle 90 %). {PROTOCOL}", LESSLER),
    ("mers", "MERS", "中东呼吸综合征", "other", "2.2", "5.2", "12.4", "0.0", "14.0", 14, [],
     "12.60", "2.80", f"Incubation and serial interval: Cowling 2015 (middle 95 %). {PROTOCOL}",
     "10.2807/1560-7917.ES2015.20.25.21163"),
    ("measles", "Measles", "麻疹", "B", "8.9", "12.5", "17.7", "4.0", "4.0", 21, [],
     None, None, f"Incubation: Lessler 2009 (middle 90 %). {PROTOCOL}", LESSLER),
    ("influenza-a", "Influenza A", "甲型流感", "C", "0.7", "1.4", "2.8", "1.0", "7.0", 4, [],
     None, None, f"Incubation: Lessler 2009 (middle 90 %). {PROTOCOL}", LESSLER),
    ("ebola", "Ebola virus disease", "埃博拉出血热", "other", "2.0", "8.3", "21.0", "0.0", "21.0", 21, [],
     "14.20", "9.60",
     f"Incubation (gamma, mean 10.3, SD 8.2) and serial interval: WHO Ebola Response Team 2015. {PROTOCOL}",
     "10.1056/NEJMc1414992"),
    ("mpox", "Mpox", "猴痘", "B", "4.2", "8.5", "17.3", "4.0", "21.0", 21, [],
     "8.50", "5.00", f"Incubation: Miura 2022 (middle 90 %); serial interval: Madewell 2022. {PROTOCOL}",
     "10.2807/1560-7917.ES.2022.27.24.2200448"),
    ("dengue", "Dengue", "登革热", "B", "3.4", "5.8", "9.8", "2.0", "5.0", 14, [],
     None, None, f"Incubation: Chan 2012 (lognormal, mean 5.97, SD 1.64; middle 95 %). {PROTOCOL}",
     "10.1371/journal.pone.0050972"),
)  # fmt: skip


def ship(apps, schema_editor):
    """Add the profiles that are not there; a figure that somebody changed stays."""
    profile = apps.get_model("cases", "DiseaseProfile")
    for row in PROFILES:
        values = dict(zip(FIELDS, row, strict=True))
        profile.objects.using(schema_editor.connection.alias).get_or_create(
            code=values.pop("code"), defaults=values
        )


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
