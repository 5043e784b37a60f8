"""The plugin's own catalogue."""

from regulars_plugin_api.i18n import translator

_ = translator("regulars_executor_celery")
