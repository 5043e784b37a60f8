"""A Celery worker of the plugin in a process of its own, beside the plugin that counts."""

from celery.signals import worker_ready

from regulars_executor_celery.worker import run
from regulars_testkit.counting.proof import here, opened

crm = opened()
worker_ready.connect(lambda **_about: here(crm), weak=False)
raise SystemExit(run(crm, 2))
