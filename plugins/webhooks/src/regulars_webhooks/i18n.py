"""The plugin's own catalogue."""

from regulars_plugin_api.i18n import plural_translator, translator

_ = translator("regulars_webhooks")
_n = plural_translator("regulars_webhooks")
