"""The stock Celery worker of the chord run: the demonstration tasks, whose results go to whatever reply queue a task names."""
from proj.celery import app

# What a chord needs to survive a restart of the broker.
app.conf.update(result_persistent=True, broker_transport_options={"confirm_publish": True})
