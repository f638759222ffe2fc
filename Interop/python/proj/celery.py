"""The Celery application: the broker from the environment, results over AMQP reply queues."""
import os

from celery import Celery

app = Celery(
    "proj",
    broker=os.environ.get("CELERY_BROKER_URL") or os.environ.get("RABBITMQ_URL"),
    backend="rpc://",
    include=["proj.tasks", "proj.governed"],
)
app.conf.update(broker_connection_retry_on_startup=True)
if "PROJ_MAX_PRIORITY" in os.environ:
    app.conf.task_queue_max_priority = int(os.environ["PROJ_MAX_PRIORITY"])
