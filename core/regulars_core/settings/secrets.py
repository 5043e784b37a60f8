"""Secrets in the database: AES-GCM under keys made from the home's secret keys, bound to the place they are stored in."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from regulars_plugin_api.errors import LostKey

NONCE = 12


class Vault:
    """Implements ``regulars_plugin_api.services.Vault``: locks with one key, and opens what it or a former one locked.

    Each text begins with the id of its key, so that one of an unknown key is told from a damaged one.
    """

    def __init__(self, secret: bytes, former: Iterable[bytes] = ()) -> None:
        derived = [HKDF(hashes.SHA256(), length=32, salt=None, info=b"regulars settings").derive(one) for one in (secret, *former)]
        self._keys = {hashlib.sha256(key).hexdigest()[:8]: AESGCM(key) for key in derived}

    def lock(self, text: str, place: str) -> str:
        """Encrypt ``text`` for ``place``, such as ``loyalty.token``."""
        nonce = os.urandom(NONCE)
        key_id, key = next(iter(self._keys.items()))
        return f"{key_id}:{base64.b64encode(nonce + key.encrypt(nonce, text.encode(), place.encode())).decode()}"

    def unlock(self, locked: str, place: str) -> str:
        """The reverse. Raises ``LostKey``."""
        key_id, _colon, content = locked.partition(":")
        if key_id not in self._keys:
            raise LostKey(place)
        raw = base64.b64decode(content)
        try:
            return self._keys[key_id].decrypt(raw[:NONCE], raw[NONCE:], place.encode()).decode()
        except InvalidTag as error:
            raise LostKey(place) from error
