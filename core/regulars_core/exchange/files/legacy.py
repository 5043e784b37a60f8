"""Text that is not Unicode: which encodings can read it, which are likely, and how each would read it."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.decoding import ASCII, Undecodable, chunks, decodes, high_bytes
from regulars_core.exchange.files.problems import FileRefused, Question
from regulars_plugin_api.i18n import _

_SINGLE_BYTE = """
    cp1252 iso8859-15 cp1250 iso8859-2 cp1251 koi8-r iso8859-5 cp866 cp1253 iso8859-7 cp1254 cp1255 cp1256 cp1257 cp874
    cp850 cp437 mac-roman
"""
_MULTI_BYTE = ("gb18030", "big5", "shift_jis", "cp932", "euc_jp", "cp949")
_CHOICES = 8
_WORD = re.compile(rb"[^\s,;|\"\x00]*[\x80-\xff][^\s,;|\"\x00]*")


def refuse_damaged_utf8(path: Path, problem: Undecodable) -> None:
    """Refuse a file most of whose letters beyond ASCII are UTF-8: another encoding would spoil those."""
    high = bad = 0
    for chunk in chunks(path):
        high += len(chunk.translate(None, ASCII))
        bad += chunk.decode("utf-8", "replace").count("\ufffd")
    if bad * 2 <= high:
        raise FileRefused(
            "broken_utf8",
            _(
                "The file is UTF-8 but for byte %(byte)d on line %(line)d, and %(others)d more. Save it as UTF-8, or say its encoding.",
                byte=problem.byte,
                line=problem.line,
                others=bad - 1,
            ),
        )


def likeliest(path: Path) -> list[str]:
    """The encodings that can read the file, one for each different reading, the likeliest first."""
    # Two megabytes that only who imports such a file needs.
    from charset_normalizer import from_bytes

    names, sample = _candidates(path), _sample(path)
    codec_names = {name: codecs.lookup(name).name for name in names}
    found = from_bytes(sample, cp_isolation=list(codec_names.values())) if names else ()
    order = {codecs.lookup(match.encoding).name: place for place, match in enumerate(found)}
    if "shift_jis" in names:  # The detector tells one of the two; people know the other.
        order["shift_jis"] = order["cp932"] = min(order.get(name, len(names)) for name in ("shift_jis", "cp932"))
    return sorted(names, key=lambda name: order.get(codec_names[name], len(names)))


def question_about(path: Path, candidates: list[str]) -> Question:
    """Asks for ``encoding``, with a word of the file in the likeliest readings."""
    word = _WORD.search(_sample(path))
    readings = ", ".join(f"“{word[0][:60].decode(name, 'replace')}” ({name})" for name in candidates[:3]) if word else ""
    why = _("The letters beyond A to Z can be read in several ways: %(readings)s.", readings=readings)
    return Question("encoding", tuple(candidates[:_CHOICES]), why)


def _candidates(path: Path) -> list[str]:
    """Encodings that can read the file, one for each different reading."""
    present = bytes(sorted(high_bytes(path)))
    readings: dict[str, str] = {}
    for name in _SINGLE_BYTE.split():
        try:
            reading = present.decode(name)
        except UnicodeDecodeError:
            continue
        if not any("\x80" <= letter <= "\x9f" for letter in reading):
            readings.setdefault(reading, name)
    return [*readings.values(), *(name for name in _MULTI_BYTE if decodes(path, name))]


def _sample(path: Path) -> bytes:
    """Lines with letters beyond ASCII, some 16 KiB of them."""
    found, size = [], 0
    with path.open("rb") as file:
        while size < 16 * limits.KIB and (line := file.readline(64 * limits.KIB)):
            if not line.isascii():
                found.append(line)
                size += len(line)
    return b"".join(found)
