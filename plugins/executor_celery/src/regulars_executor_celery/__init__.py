"""Event handlers of Regulars on a Celery cluster."""
