"""Which encoding a text is in: told by a mark or by being UTF-8 throughout, else asked for."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.decoding import Undecodable, check, decodes, high_bytes
from regulars_core.exchange.files.legacy import likeliest, question_about, refuse_damaged_utf8
from regulars_core.exchange.files.problems import FileRefused, Question
from regulars_plugin_api.i18n import Text, _

_MARKS = (  # The longer mark first: UTF-32's begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_FOR_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined", "mbcs", "oem"}


@dataclass(frozen=True)
class Encoding:
    """The name of a codec; when it had to be asked for, the likeliest one and the question."""

    name: str
    question: Question | None = None
    note: Text | None = None


def find_encoding(path: Path, asked: str | None) -> Encoding:
    """Read the whole file once, and know afterwards that it decodes, holds no NUL, and has lines of bearable length."""
    with path.open("rb") as file:
        head = file.read(64 * limits.KIB)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None) or _unmarked_wide(head)
    if asked is not None:
        return _asked(path, known_encoding(asked), marked)
    if marked is not None:
        check(path, marked)
        return Encoding(marked)
    try:
        check(path, "utf-8")
    except Undecodable as problem:
        return _legacy(path, problem)
    if b"\x1b$" in head and decodes(path, "iso2022_jp"):
        return Encoding("iso2022_jp", Question("encoding", ("iso2022_jp", "utf-8"), _("The text may be Japanese in 7 bits (ISO-2022-JP).")))
    return Encoding("utf-8")


def _asked(path: Path, asked: str, marked: str | None) -> Encoding:
    if marked is not None and not (asked.startswith(marked.removesuffix("-sig")) or marked.startswith(asked)):
        raise FileRefused(
            "encoding_contradicted",
            _("The file says itself that it is %(found)s, and %(asked)s was asked for.", found=marked.removesuffix("-sig"), asked=asked),
        )
    name = marked or asked
    check(path, name)
    if name.startswith("utf-") or not high_bytes(path) or not decodes(path, "utf-8"):
        return Encoding(name)
    return Encoding(name, note=_("The file is read as %(encoding)s, as asked; it would also be valid UTF-8.", encoding=name))


def known_encoding(asked: str) -> str:
    """The codec's own name of an encoding that files may be in. Raises ``FileRefused``."""
    try:
        found = codecs.lookup(asked.strip())
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding or found.name in _NOT_FOR_FILES:
        raise FileRefused("unknown_encoding", _("“%(name)s” is no encoding that is known here.", name=asked[:60]))
    return found.name


def _legacy(path: Path, problem: Undecodable) -> Encoding:
    refuse_damaged_utf8(path, problem)
    candidates = likeliest(path)
    if not candidates:
        raise problem
    if len(candidates) == 1:
        return Encoding(candidates[0], note=_("The file is read as %(encoding)s, the only encoding it can be in.", encoding=candidates[0]))
    return Encoding(candidates[0], question_about(path, candidates))


def _unmarked_wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western letters, digits and delimiters is 0."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd < len(head) / 5 or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
