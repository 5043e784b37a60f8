"""Customers by number: the same every time, in several scripts, with shared surnames and towns as in a real chain."""

from __future__ import annotations

import csv
from pathlib import Path

GIVEN = "Anna Björn Chloé Дмитрий Ольга فاطمه محمد 秀英 伟 Γιώργος José Łukasz İbrahim Åsa Zoë".split()  # noqa: SIM905 - read as a list of names
FAMILY = "Lindqvist Öberg Dubois Коваленко Смирнова رضایی حسینی 李 王 Παπαδόπουλος Muñoz Yılmaz Holm O'Brien Smith".split()  # noqa: SIM905
TOWNS = ["Malmö", "Lund", "Göteborg", "Москва", "تهران", "北京", "Αθήνα", "Kraków", "İstanbul", "Lyon", "Dublin"]
COLUMNS = ("external_id", "first_name", "last_name", "email", "phone", "birthday", "city", "country", "language", "tags", "consent_email")


def write_customers(path: Path, amount: int, start: int = 1) -> Path:
    """A CSV of ``amount`` customers, nine in ten with an e-mail address and a phone number."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_customer(number) for number in range(start, start + amount))
    return path


def _customer(number: int) -> tuple[str, ...]:
    mixed = number * 2654435761 % 2**32
    return (
        f"N{number:08d}",
        GIVEN[mixed % len(GIVEN)],
        f"{FAMILY[mixed // 16 % len(FAMILY)]}",
        f"c{number}@example{mixed % 97}.org" if mixed % 10 else "",
        f"+4670{number % 10_000_000:07d}" if mixed % 11 else "",
        f"{1940 + mixed % 70}-{1 + mixed % 12:02d}-{1 + mixed % 28:02d}",
        TOWNS[mixed // 7 % len(TOWNS)],
        "SE",
        "sv",
        "club" if mixed % 3 else "club; family",
        "yes" if mixed % 2 else "",
    )
