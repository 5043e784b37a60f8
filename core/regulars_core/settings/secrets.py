"""Secrets in the database: AES-GCM under a key made from the home's secret key, bound to the place they are stored in."""

from __future__ import annotations

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from regulars_plugin_api.errors import LostKey

NONCE = 12


class Vault:
    """Implements ``regulars_plugin_api.services.Vault`` with one key.

    Each text begins with the key's id, so that one of another key is told from a damaged one.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = HKDF(hashes.SHA256(), length=32, salt=None, info=b"regulars settings").derive(secret)
        self._id = hashlib.sha256(self._key).hexdigest()[:8]

    def lock(self, text: str, place: str) -> str:
        """Encrypt ``text`` for ``place``, such as ``loyalty.token``."""
        nonce = os.urandom(NONCE)
        sealed = AESGCM(self._key).encrypt(nonce, text.encode(), place.encode())
        return f"{self._id}:{base64.b64encode(nonce + sealed).decode()}"

    def unlock(self, locked: str, place: str) -> str:
        """The reverse. Raises ``LostKey``."""
        key_id, _colon, content = locked.partition(":")
        if key_id != self._id:
            raise LostKey(place)
        raw = base64.b64decode(content)
        try:
            return AESGCM(self._key).decrypt(raw[:NONCE], raw[NONCE:], place.encode()).decode()
        except InvalidTag as error:
            raise LostKey(place) from error
