"""``Idempotency-Key``: a POST that is sent again is answered again, and done once."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Response, make_response, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from regulars_core import idempotency
from regulars_core.crm import Crm
from regulars_core.idempotency import IdempotencyKey
from regulars_plugin_api.errors import InvalidInput, LostKey
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import Refused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_HEADERS = ("Content-Type", "Location", "ETag")
_KEY = re.compile(r"[!-~]{1,200}")
_under_way: set[tuple[int, str, str]] = set()
_lock = threading.Lock()


class Remembered:
    """One keyed request of a user."""

    def __init__(self, crm: Crm, user_id: int) -> None:
        key = request.headers[HEADER]
        if not _KEY.fullmatch(key):
            raise InvalidInput(None, **{HEADER: _("Give 1 to 200 characters from ! to ~.")})
        self.crm = crm
        self.name = (user_id, request.path[:200], key)
        self.digest = _digest()
        self._place = "answer:" + hashlib.sha256(repr(self.name).encode()).hexdigest()

    def answer(self, perform: Callable[[Session | None], Response], *, in_transaction: bool) -> Response:
        """The answer that was given before, else that of ``perform``, kept with what it does."""
        with self._alone():
            if in_transaction:
                with self.crm.transaction() as session:
                    found = self._claim(session)
                    return self._again(found) if found else self._kept(session, perform(session))
            with self.crm.read() as reader:
                known = reader.get(IdempotencyKey, self.name)
            if known is not None and known.created_at > self.crm.clock.now() - idempotency.KEPT:
                return self._again(known)
            reply = perform(None)
            with self.crm.transaction() as session:
                return self._kept(session, reply) if self._claim(session) is None else reply

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with _lock:
            if self.name in _under_way:
                raise Refused(409, _("A request with this Idempotency-Key is still being worked on."), headers={"Retry-After": "1"})
            _under_way.add(self.name)
        try:
            yield
        finally:
            with _lock:
                _under_way.discard(self.name)

    def _claim(self, session: Session) -> IdempotencyKey | None:
        return idempotency.claim(session, *self.name, self.digest, self.crm.clock.now())

    def _kept(self, session: Session, reply: Response) -> Response:
        headers = {name: reply.headers[name] for name in KEPT_HEADERS if name in reply.headers}
        # An answer may tell a secret, and has to be told again word for word.
        body = self.crm.vault.lock(reply.get_data(as_text=True), self._place)
        idempotency.keep(session, *self.name, status=reply.status_code, headers=headers, body=body)
        return reply

    def _again(self, found: IdempotencyKey) -> Response:
        if found.request_hash != self.digest:
            raise InvalidInput(None, **{HEADER: _("This key was used for another request.")})
        try:
            body = self.crm.vault.unlock(found.body, self._place)
        except LostKey as lost:
            raise Refused(409, _("This was done before. Its answer can't be told again: the system's key was changed since.")) from lost
        return make_response(body, found.status, {**found.headers, REPLAYED: "true"})


def _digest() -> str:
    digest = hashlib.sha256(request.query_string + b"\n" + request.mimetype.encode() + b"\n")
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data())
        return digest.hexdigest()
    for name, text in sorted(request.form.items(multi=True)):
        digest.update(f"{name}={text}\n".encode("utf-8", "surrogatepass"))
    for name, file in sorted(request.files.items(multi=True), key=lambda named: named[0]):
        digest.update(f"{name}={file.filename}\n".encode("utf-8", "surrogatepass") + _digest_of(file))
    return digest.hexdigest()


def _digest_of(file: FileStorage) -> bytes:
    found = hashlib.sha256()
    while block := file.stream.read(1 << 20):
        found.update(block)
    file.stream.seek(0)
    return found.digest()
