"""JSON lines: an object a line, its keys the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.rows import WHOLE_ROW, Flaw, FlawedRow, Number
from regulars_plugin_api.i18n import _


class _NotPlain(ValueError):
    """A value that has no exact text, such as NaN, or a key that stands twice."""


def keys_in(path: Path, encoding: str) -> tuple[str, ...]:
    """The keys of all objects, in the order in which they are first met."""
    keys: dict[str, None] = {}
    for value in _values(path, encoding):
        if isinstance(value, dict):
            keys.update(dict.fromkeys(value))
            if len(keys) > limits.COLUMNS:
                raise FileRefused("too_many_columns", _("There are more than %(count)d different keys.", count=limits.COLUMNS))
    return tuple(keys)


def read_rows(path: Path, encoding: str, keys: Sequence[str]) -> Iterator[list[str]]:
    """A row for each line, in the order of ``keys``; a key that is missing is blank."""
    for value in _values(path, encoding):
        if isinstance(value, dict):
            cells = [value.get(key) for key in keys]
            yield [cell if isinstance(cell, str) else "" for cell in cells] if all(map(_is_plain, cells)) else _flawed(cells)
        else:
            yield FlawedRow([], {WHOLE_ROW: value})


def _values(path: Path, encoding: str) -> Iterator[dict[str, Any] | Flaw]:
    decode = json.JSONDecoder(parse_float=Number, parse_int=str, parse_constant=_refuse, object_pairs_hook=_object).decode
    with path.open(encoding=encoding, newline="\n") as lines:
        for line in lines:
            if line.isspace():
                continue
            try:
                value = decode(line)
            except _NotPlain as problem:
                yield Flaw("not_plain", _("The line holds %(what)s.", what=str(problem)))
            except (ValueError, RecursionError):
                yield Flaw("not_json", _("The line is not JSON."))
            else:
                yield _as_text(value) if isinstance(value, dict) else Flaw("not_json", _("The line is JSON, but no object."))


def _as_text(values: dict[str, Any]) -> dict[str, Any]:
    return {key: ("true" if value else "false") if isinstance(value, bool) else value for key, value in values.items()}


def _is_plain(cell: Any) -> bool:
    return cell is None or isinstance(cell, str)


def _flawed(cells: list[Any]) -> FlawedRow:
    nested = Flaw("nested_value", _("The value is a list or an object. Columns hold single values."))
    return FlawedRow(
        [cell if isinstance(cell, str) else "" for cell in cells], {at: nested for at, cell in enumerate(cells) if not _is_plain(cell)}
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotPlain(_("a key twice"))
    return found


def _refuse(constant: str) -> None:
    raise _NotPlain(constant)
