"""Date order and decimal mark: proved by a column's own values, else asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from regulars_core.exchange.files import FileOptions, Inspection, inspect
from regulars_plugin_api.exchange import ColumnType

TYPES = {"day": ColumnType.DATE, "at": ColumnType.DATETIME, "price": ColumnType.NUMBER, "quantity": ColumnType.NUMBER}


def hint(header: tuple[str, ...]) -> Mapping[str, ColumnType]:
    return {name: TYPES.get(name, ColumnType.TEXT) for name in header}


def inspected(tmp_path: Path, column: str, values: list[str], options: FileOptions | None = None) -> Inspection:
    path = tmp_path / "file.csv"
    path.write_text("\n".join([f"id;{column}", *(f"{n};{value}" for n, value in enumerate(values))]), encoding="utf-8")
    return inspect(path, options, hint)


@pytest.mark.parametrize("column", ["day", "at"])
@pytest.mark.parametrize(
    ("values", "order", "asks"),
    [
        (["2025-03-04", "2025/03/04", "20250304"], None, False),
        (["03/04/2025", "31/12/2025"], "dmy", False),
        (["03/04/2025", "12/31/2025"], "mdy", False),
        (["۰۳/۰۴/۲۰۲۵", "۳۱/۱۲/۲۰۲۵"], "dmy", False),
        (["3.4.2025", "4.3.2025"], None, True),
        (["05/05/2025"], None, False),
        (["31/12/2025", "12/31/2025"], None, True),
        (["31/12/25", ""], None, False),
        ([f"{day}.{month}.2025" for day in range(13, 29) for month in range(1, 13)] + ["12.31.2025"], "dmy", False),
    ],
)
def test_date_order(tmp_path: Path, column: str, values: list[str], order: str | None, asks: bool) -> None:
    stamps = [f"{value} 10:15" if value and column == "at" else value for value in values]
    inspection = inspected(tmp_path, column, stamps)
    assert inspection.date_order == order
    assert [question.option for question in inspection.questions] == (["date_order"] if asks else [])


@pytest.mark.parametrize(
    ("values", "decimal", "asks"),
    [
        (["12", "1234"], ".", False),
        (["12,50"], ",", False),
        (["12.50"], ".", False),
        (["0,500"], ",", False),
        (["1234.567"], ".", False),
        (["1.234,56"], ",", False),
        (["1,234.56"], ".", False),
        (["1.234.567"], ",", False),
        (["1,234,567"], ".", False),
        (["1 234,567"], ",", False),
        (["1,234", "12,50"], ",", False),
        (["1,234"], ".", True),
        (["1.234", "-7.500"], ".", True),
        (["12,50", "12.50"], ".", True),
        (["۱۲٫۵", "1234"], ".", False),
        (["-0.25 kr", ",5"], ".", True),
        (["12,50 kr", "SEK 7"], ",", False),
        (["1.2.3", "12.05.2024", "a,b", ",", "1,2345,6"], ".", False),
        (["١٢,٥٠"], ",", False),
        (["１２，５０"], ",", False),
    ],
)
def test_decimal_mark(tmp_path: Path, values: list[str], decimal: str, asks: bool) -> None:
    inspection = inspected(tmp_path, "price", values)
    assert inspection.decimal == decimal
    assert [question.option for question in inspection.questions] == (["decimal"] if asks else [])


def test_a_mark_proved_in_one_column_holds_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id;price;quantity\n1;12,50;1,500\n", encoding="utf-8")
    inspection = inspect(path, None, hint)
    assert (inspection.decimal, inspection.questions) == (",", ())


def test_questions_name_the_value_that_has_two_meanings(tmp_path: Path) -> None:
    assert "03/04/2025" in str(inspected(tmp_path, "day", ["03/04/2025"]).questions[0].why)
    question = inspected(tmp_path, "price", ["1,234"]).questions[0]
    assert ("1,234" in str(question.why), question.choices) == (True, (",", "."))
    both = str(inspected(tmp_path, "day", ["31/12/2025", "12/31/2025"]).questions[0].why)
    assert "31/12/2025" in both
    assert "12/31/2025" in both


def test_an_answer_settles_it_and_what_contradicts_it_is_told(tmp_path: Path) -> None:
    inspection = inspected(tmp_path, "day", ["31/12/2025", "12/31/2025"], FileOptions(date_order="dmy"))
    assert (inspection.date_order, inspection.questions) == ("dmy", ())
    assert "12/31/2025" in str(inspection.notes[0])
    assert inspected(tmp_path, "price", ["1,234"], FileOptions(decimal=",")).decimal == ","


def test_columns_that_are_not_imported_ask_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id;day;price\n1;03/04/2025;1,234\n", encoding="utf-8")
    assert inspect(path, None, lambda header: {"id": ColumnType.CODE}).questions == ()
