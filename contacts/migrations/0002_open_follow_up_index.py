from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["follow_up_end_date", "id"],
                condition=models.Q(("status__in", ("released", "case", "lost", "cancelled")), _negated=True),
                name="contact_open_follow_up",
            ),
        ),
    ]
