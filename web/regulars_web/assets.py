"""Stylesheets, scripts and pictures: served under an address that changes with their content, so browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, send_from_directory, url_for

from regulars_plugin_api.web import PUBLIC, access

PLATFORM = "regulars"
_A_YEAR = 31_536_000


class Assets:
    """One folder of static files per owner (the platform, or a plugin)."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[Path, str]] = {}
        self._urls: dict[tuple[str, str], str] = {}

    def add(self, owner: str, folder: Path) -> None:
        """Serve ``folder`` for ``owner``. One digest for the whole folder: relative addresses inside stylesheets stay right."""
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        self._folders[owner] = (folder, digest.hexdigest()[:8])

    def url(self, filename: str, owner: str = PLATFORM) -> str:
        """The address of a file."""
        found = self._urls.get((owner, filename))
        if found is None:
            found = self._urls[owner, filename] = url_for("asset", owner=owner, digest=self._folders[owner][1], filename=filename)
        return found

    def send(self, owner: str, digest: str, filename: str) -> Response:
        """The file; one that was asked for by an old digest is not kept by the browser."""
        folder, current = self._folders.get(owner, (Path(), ""))
        reply = send_from_directory(folder, filename) if current else Response(status=404)
        if digest == current:
            reply.headers["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable"
        return reply


def install(app: Flask) -> Assets:
    """Add the address of static files to ``app`` and ``asset()`` to its templates."""
    assets = Assets()
    assets.add(PLATFORM, Path(__file__).parent / "static")

    @app.get("/static/<owner>/<digest>/<path:filename>")
    @access(PUBLIC)
    def asset(owner: str, digest: str, filename: str) -> Response:
        if owner != PLATFORM and not app.extensions["regulars"].plugins.is_enabled(owner):
            return Response(status=404)
        return assets.send(owner, digest, filename)

    app.jinja_env.globals["asset"] = assets.url
    return assets
