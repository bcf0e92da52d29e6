from django.conf import settings
from django.db import models, transaction

from .push import publish


class Notification(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    text = models.CharField(max_length=200)

    def as_dict(self):
        return {"type": "notification", "id": self.pk, "text": self.text}

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        # After the commit: a page that loads the list because of the message must find it there.
        transaction.on_commit(lambda: publish(f"user-{self.user_id}", self.as_dict()))


class Job(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    done = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=10)

    @property
    def channel(self):
        return f"job-{self.pk}"

    def as_dict(self):
        return {"type": "progress", "id": self.pk, "done": self.done, "steps": self.steps}

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        transaction.on_commit(lambda: publish(self.channel, self.as_dict()))
