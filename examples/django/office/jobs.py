import threading
import time

from django.db import connection


def start(job):
    """Does a job in the background. In production, this is a task of Celery or of another queue."""
    threading.Thread(target=run, args=[job], daemon=True).start()


def run(job):
    try:
        while job.done < job.steps:
            time.sleep(0.2)  # the work
            job.done += 1
            job.save()
    finally:
        connection.close()
