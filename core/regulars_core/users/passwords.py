"""What a password must be, and how it is kept: argon2id, one at a time because each takes 64 MiB."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from importlib import resources
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from regulars_plugin_api.i18n import _

SHORTEST, LONGEST = 10, 256
_hasher = PasswordHasher()
_one_at_a_time = Lock()


def objections(password: str, email: str) -> list[str]:
    """Why ``password`` will not do, in sentences; nothing when it will. Length counts, not kinds of characters."""
    if len(password) < SHORTEST:
        return [str(_("Use at least %(count)d characters.", count=SHORTEST))]
    if len(password) > LONGEST:
        return [str(_("Use at most %(count)d characters.", count=LONGEST))]
    plain = password.casefold()
    if plain in _common() or plain in (email.casefold(), email.partition("@")[0].casefold()) or len(set(plain)) < 4:
        return [str(_("This password is easy to guess: it is on lists that attackers try first, or it is your own name. Choose another."))]
    return []


def hashed(password: str) -> str:
    """The argon2id hash to store."""
    with _one_at_a_time:
        return _hasher.hash(_normal(password))


def matches(password: str, stored: str) -> bool:
    """Whether ``password`` is the one that was stored."""
    with _one_at_a_time:
        try:
            return _hasher.verify(stored, _normal(password))
        except VerificationError:
            return False


def invented() -> str:
    """A random password that can be read out and typed: 4 x 5 letters and digits, 95 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _position in range(5)) for _group in range(4))


def _normal(password: str) -> str:
    # Keyboards differ in how they send one and the same letter.
    return unicodedata.normalize("NFKD", password)


@cache
def _common() -> frozenset[str]:
    return frozenset(resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8").split())
