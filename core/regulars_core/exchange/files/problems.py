"""What stops a whole file, and what has to be asked before it can be read."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_plugin_api.i18n import Text


class FileRefused(Exception):
    """The file can't be read, or may not: a stable ``code`` and a sentence that says what and where."""

    def __init__(self, code: str, message: Text) -> None:
        super().__init__(code)
        self.code, self.message = code, message

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True)
class Question:
    """Two readings are possible and a person must choose: the option to set, what it may be (likeliest first), and why it is asked."""

    option: str
    choices: tuple[str, ...]
    why: Text
