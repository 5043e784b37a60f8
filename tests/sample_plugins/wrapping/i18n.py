"""The plugin's words."""

from regulars_plugin_api.i18n import translator

_ = translator("regulars_wrapping")
