"""Signing in and out: Flask-Security on our own users, a session row per browser, and a limit on guessing."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from functools import lru_cache, partial
from types import NoneType
from typing import Any, cast

from flask import Flask, Request, g, message_flashed, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_login import user_logged_out
from flask_wtf.csrf import CSRFProtect, generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Mapped, Session, relationship
from werkzeug.local import LocalProxy

from regulars_core.crm import Crm
from regulars_core.users import holding, passwords, sessions
from regulars_core.users.models import Role, User
from regulars_plugin_api.errors import Forbidden
from regulars_plugin_api.hookspecs import access
from regulars_plugin_api.i18n import Text, _
from regulars_web.devices import device_name
from regulars_web.lean import without
from regulars_web.links import leads_somewhere
from regulars_web.rest import limits

# For one-time passwords, which are not offered.
with without("cryptography"):
    from flask_security import MailUtil, RoleMixin, Security, SQLAlchemySessionUserDatastore, UserMixin, user_authenticated
    from flask_security.utils import login_user, set_request_attr

IDLE = dt.timedelta(hours=8)
STAYS_FOR = dt.timedelta(minutes=5)
SIGN_IN = "sign_in"
GUESSES = "10 per minute; 60 per hour"
MOST_MESSAGES = 5
MOST_TOKENS = MOST_COOKIES = 512
PUBLIC_ENDPOINTS = frozenset({"security.login", "security.logout"})


class StaffRole(RoleMixin, Role):
    """A role as Flask-Security wants to see it."""


class StaffUser(UserMixin, User):  # type: ignore[misc]
    """A user as Flask-Security wants to see one."""

    roles: Mapped[list[StaffRole]] = relationship(secondary="user_role", order_by=StaffRole.name, viewonly=True)  # type: ignore[assignment]

    def verify_and_update_password(self, password: str) -> bool:
        """Whether this is the password."""
        return passwords.matches(password, self.password or "")


class NoMail(MailUtil):
    """Signing in sends no mail."""

    def send_mail(self, *_message: Any, **_about: Any) -> None:
        """Nothing here asks for one."""
        raise NotImplementedError("signing in sends no mail")


_UNCHANGING = (str, int, float, NoneType)


class Sessions(SecureCookieSessionInterface):
    """The cookies of one application, whose keys stay the same as long as the process runs.

    That the signature of a cookie is right is found out once, how old it is each time.
    """

    def __init__(self, app: Flask) -> None:
        self._signer = cast(URLSafeTimedSerializer, super().get_signing_serializer(app))
        self._signed = lru_cache(maxsize=MOST_COOKIES)(partial(self._signer.loads, return_timestamp=True))

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """What signs the cookie."""
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """What the browser's cookie says; nothing if it is not ours, or older than a session may be."""
        cookie = request.cookies.get(self.get_cookie_name(app))
        try:
            said, signed_at = self._signed(cookie or "")
        except BadSignature:
            return self.session_class()
        if not 0 <= int(time.time()) - signed_at.timestamp() <= app.permanent_session_lifetime.total_seconds():
            return self.session_class()
        # Lists in it, such as messages, are added to.
        return self.session_class({name: value if isinstance(value, _UNCHANGING) else deepcopy(value) for name, value in said.items()})


class Lookup(SQLAlchemySessionUserDatastore):
    """Users, looked up in a session that can't write."""

    def commit(self) -> None:
        """There is nothing to commit."""


class Guesses(Limiter):
    """The limits of views that were declared with one, which count by themselves; no other page is looked up among them."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def limit_views(app: Flask) -> None:
    """Count the calls of views that were declared with a limit, by address."""
    limiter = app.extensions["regulars_limiter"]
    for endpoint, view in app.view_functions.items():
        if limit := getattr(view, "regulars_limit", None):
            app.view_functions[endpoint] = limiter.limit(limit, key_func=lambda: request.remote_addr or "")(view)


def install(app: Flask, crm: Crm, *, https: bool) -> None:
    """Give ``app`` its sign-in page, sessions, CSRF protection and the limits on guessing and asking."""
    limits.install(app, crm.config)
    app.config.update(
        PERMANENT_SESSION_LIFETIME=IDLE,
        # Signed anew by ``stay`` now and then, not for every answer.
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_NAME="__Host-regulars" if https else "regulars",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        SECURITY_PASSWORD_SALT="unused: every argon2id hash has its own",  # noqa: S106
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGIN_USER_TEMPLATE="sign_in.html",
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/sign-in",
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_STATIC_FOLDER=None,
        SECURITY_API_ENABLED_METHODS=["session"],
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=https,
        RATELIMIT_STORAGE_URI=crm.config.limits_url,
        RATELIMIT_STORAGE_OPTIONS=limits.options_of(crm.config),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    forms = CSRFProtect(app)
    message_flashed.connect(_keep_few_messages, app)

    @app.before_request
    def refuse_foreign_forms() -> None:
        # A token is in no browser: nobody can make one send it. What programs post bears its own proof.
        view = app.view_functions.get(request.endpoint or "")
        if view and "token" not in g and not getattr(view, "regulars_by_programs", False):
            forms.protect()

    form_token = app.jinja_env.globals["csrf_token"] = _form_tokens()
    app.context_processor(lambda: {"csrf_token": form_token})
    app.session_interface = Sessions(app)
    datastore = Lookup(cast(Any, LocalProxy(lambda: reading(crm))), StaffUser, StaffRole)
    security: Any = Security(app, datastore, mail_util_cls=NoMail)
    security.login_manager.user_loader(lambda uniquifier: _signed_in(crm, uniquifier))
    # Flask-Security tells Flask-Principal each user's roles, a statement per request; the gate asks for permissions instead.
    security.principal.identity_loaders.clear()
    limiter = app.extensions["regulars_limiter"] = Guesses(_who_guesses, app=app)
    login: Callable[..., Any] = app.view_functions["security.login"]
    limited = limiter.limit(GUESSES, methods=["POST"], error_message=str(_("Too many attempts. Wait a minute and try again.")))
    app.view_functions["security.login"] = cast(Any, limited(login))
    _keep_session_rows(app, crm)
    app.extensions["regulars_sign_in"] = lambda email, next_page: _sign_in(datastore, limiter, email, next_page)
    app.jinja_env.globals["sign_in_providers"] = lambda: _providers(crm)
    app.teardown_appcontext(stop_reading)


def _signed_in(crm: Crm, uniquifier: str) -> StaffUser | None:
    """In place of Flask-Security's own loader: who it is, whether this browser still counts and what may be done, in one statement."""
    found = holding.signed_in(reading(crm), StaffUser, uniquifier, session.get(SIGN_IN, ""), crm.clock.now())
    if found is None:
        return None
    set_request_attr("fs_authn_via", "session")
    g.signed_in_viewer = found.viewer
    crm.plugins.notice(found.switches)
    return found.user


def _form_tokens() -> Callable[[], str]:
    """``csrf_token()`` of templates: signed once for each browser, since a token holds as long as the session it belongs to."""

    @lru_cache(maxsize=MOST_TOKENS)
    def signed(_in_session: str) -> str:
        g.pop("csrf_token", None)
        token: str = generate_csrf()
        return token

    return lambda: signed(session["csrf_token"]) if "csrf_token" in session else generate_csrf()


def stay() -> None:
    """Begin the time anew after which a browser without a request is signed out."""
    # By the clock that signs the cookie and measures its age.
    period = int(time.time() // STAYS_FOR.total_seconds())
    if session.get("period") != period:
        session["period"] = period


def _keep_few_messages(_sender: Flask, **_message: Any) -> None:
    # A browser drops a cookie of more than 4 KiB, and the session with it: who looks at no page loses the oldest messages.
    session["_flashes"] = session["_flashes"][-MOST_MESSAGES:]


def _sign_in(datastore: Lookup, limiter: Limiter, email: str, next_page: str) -> Any:
    """What ``regulars_plugin_api.web.sign_in`` does."""
    with limiter.limit(GUESSES, key_func=lambda: f"{request.remote_addr} {email.strip().lower()}"):
        user = datastore.find_user(case_insensitive=True, email=email.strip())
    if user is None or not user.active:
        raise Forbidden(_("There is no open account for this address. An administrator can make one."))
    login_user(user, authn_via=["plugin"])
    return redirect(safe_next(next_page))


def _providers(crm: Crm) -> list[tuple[Text, str]]:
    """Title and address of each other way to sign in."""
    offered = crm.bus.collect(access.sign_in_providers)
    return [(one.title, url_for(one.endpoint)) for one in offered if leads_somewhere(one.endpoint)]


def _who_guesses() -> str:
    # By account as well as by address: a list of passwords against one account, or one password against many.
    return f"{request.remote_addr} {request.form.get('email', '').strip().lower()}"


def _keep_session_rows(app: Flask, crm: Crm) -> None:
    def signed_in(_sender: Flask, user: StaffUser, **_about: Any) -> None:
        with crm.transaction(cause="web") as database:
            session[SIGN_IN] = sessions.start(database, user.id, crm.clock.now(), device_name(request.user_agent.string))
        session.permanent = True
        session.pop("csrf_token", None)

    user_authenticated.connect(signed_in, app, weak=False)

    def signed_out(_sender: Flask, **_about: Any) -> None:
        token = session.pop(SIGN_IN, None)
        if token:
            with crm.transaction(cause="web") as database:
                sessions.end(database, token)

    user_logged_out.connect(signed_out, app, weak=False)


def reading(crm: Crm) -> Session:
    """The session that looks users up, open for the rest of the request."""
    if "user_lookup" not in g:
        g.user_lookup_ends = crm.read()
        g.user_lookup = g.user_lookup_ends.__enter__()
    return cast(Session, g.user_lookup)


def handed_over(crm: Crm) -> AbstractContextManager[Session]:
    """The session of ``reading``, for the page to go on with and to close; one of its own if none is open."""
    ends = g.pop("user_lookup_ends", None)
    return crm.database.read() if ends is None else _closing(g.pop("user_lookup"), ends)


@contextmanager
def _closing(opened: Session, ends: AbstractContextManager[Session]) -> Iterator[Session]:
    try:
        yield opened
    finally:
        ends.__exit__(None, None, None)


def stop_reading(_error: BaseException | None = None) -> None:
    """End the session of ``reading``."""
    g.pop("user_lookup", None)
    ends = g.pop("user_lookup_ends", None)
    if ends is not None:
        ends.__exit__(None, None, None)


def safe_next(wanted: str | None) -> str:
    """Where to go on: an address of this application, else the start page."""
    if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable():
        return wanted
    return "/"
