from django.db import models, transaction
from django_eventstream import send_event


class Item(models.Model):
    text = models.CharField(max_length=200)

    def as_dict(self):
        return {"id": self.pk, "text": self.text}

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        transaction.on_commit(lambda: send_event("news", "item", self.as_dict()))
