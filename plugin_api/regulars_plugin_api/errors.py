"""What goes wrong in words a person can act on. Web, REST and CLI turn these into their own kind of answer."""

from __future__ import annotations

from collections.abc import Mapping

from regulars_plugin_api.i18n import Text, _


class RegularsError(Exception):
    """Base of all errors that are told to a person. ``status`` is the HTTP answer it becomes."""

    status = 500
    default: Text = _("Something went wrong.")

    def __init__(self, message: Text | None = None) -> None:
        self.message = self.default if message is None else message
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class InvalidInput(RegularsError):
    """Fields that can't be taken: ``InvalidInput(points=_("Award at least one point."))``."""

    status = 422
    default = _("Some fields need attention.")

    def __init__(self, message: Text | None = None, /, **fields: Text) -> None:
        super().__init__(message)
        self.fields: Mapping[str, Text] = fields

    def __str__(self) -> str:
        return " ".join([str(self.message), *(f"{name}: {text}" for name, text in self.fields.items())])


class NotFound(RegularsError):
    """There is no such record, or the viewer may not know of it."""

    status = 404
    default = _("There is no such record.")


class Conflict(RegularsError):
    """Somebody else changed it first, or it exists already."""

    status = 409
    default = _("Somebody else has changed this in the meantime.")


class Forbidden(RegularsError):
    """The viewer may not do this."""

    status = 403
    default = _("You may not do this.")


class NotAllowedYet(RegularsError):
    """Possible, but not in the present state: something has to be done first, and the message says what."""

    status = 409
    default = _("This is not possible yet.")


class OutboundRefused(RegularsError):
    """The guard does not let this call to another system out."""

    status = 422
    default = _("This is no address that can be called.")


class LostKey(RegularsError):
    """The secret of ``place`` was locked with another key, or for another place: it has to be given anew."""

    def __init__(self, place: str) -> None:
        super().__init__(_("The secret %(place)s was encrypted with another key. Give it anew.", place=place))
        self.place = place


class PluginFailed(RegularsError):
    """A plugin could not do its part of something that must not be done without it."""

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        super().__init__(_("The plugin %(plugin)s could not do its part (%(hook)s): %(reason)s", plugin=plugin, hook=hook, reason=reason))
        self.plugin, self.hook, self.reason = plugin, hook, reason


class JobCancelled(RegularsError):
    """Somebody has cancelled this run of a job, or another worker has it: it is to end now."""

    default = _("The run was cancelled.")
