"""Bytes into letters, as a stream, with the place of what does not fit."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.problems import FileRefused
from regulars_plugin_api.i18n import _

ASCII = bytes(range(128))


class Undecodable(FileRefused):
    """A byte that does not belong; its place is in the message."""

    def __init__(self, encoding: str, byte: int, line: int) -> None:
        super().__init__(
            "not_decodable",
            _("Byte %(byte)d, on line %(line)d, is no text in %(encoding)s.", byte=byte, line=line, encoding=encoding.removesuffix("-sig")),
        )
        self.byte, self.line = byte, line


def check(path: Path, encoding: str) -> None:
    """Decode a whole file; refuse what does not decode, NUL characters and lines of unbearable length."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read = length = 0
    line = 1
    for chunk in chain(chunks(path), (b"",)):
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as problem:
            # UTF-16 and 32 without a mark say no more than that.
            start = problem.start if isinstance(problem, UnicodeDecodeError) else 0
            lines = chunk[: max(0, start - waiting)].count(b"\n")
            raise Undecodable(encoding, read - waiting + start + 1, line + lines) from None
        nul = text.find("\0")
        if nul >= 0:
            raise FileRefused(
                "nul_byte",
                _(
                    "There is a NUL character on line %(line)d. This is no text file, or it is damaged.",
                    line=line + text.count("\n", 0, nul),
                ),
            )
        read += len(chunk)
        line += text.count("\n")
        end = max(text.rfind("\n"), text.rfind("\r"))
        length = length + len(text) if end < 0 else len(text) - end
        if length > limits.LINE_CHARACTERS:
            raise FileRefused(
                "line_too_long",
                _("Line %(line)d is longer than %(count)d million characters.", line=line, count=limits.LINE_CHARACTERS // 1_000_000),
            )


def decodes(path: Path, encoding: str) -> bool:
    """Whether ``check`` finds nothing."""
    try:
        check(path, encoding)
    except FileRefused:
        return False
    return True


def high_bytes(path: Path) -> set[int]:
    """The bytes beyond ASCII that occur in a file."""
    return {byte for chunk in chunks(path) for byte in set(chunk.translate(None, ASCII))}


def chunks(path: Path) -> Iterator[bytes]:
    """A file in pieces of a megabyte."""
    with path.open("rb") as file:
        while chunk := file.read(limits.MIB):
            yield chunk
