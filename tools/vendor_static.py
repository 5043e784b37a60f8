"""Fetch the front-end libraries named below from npm and write ``static/vendor`` and its lock file.

Run by a maintainer after changing a version: ``python tools/vendor_static.py``. Needs npm; nothing else in the project does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parents[1] / "web" / "regulars_web" / "static"
WANTED: dict[str, dict[str, str]] = {
    "bootstrap@5.3.9": {
        "dist/css/bootstrap.min.css": "bootstrap.min.css",
        "dist/css/bootstrap.rtl.min.css": "bootstrap.rtl.min.css",
        "LICENSE": "bootstrap.LICENSE",
    },
    "htmx.org@2.0.11": {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE"},
    "swagger-ui-dist@5.35.0": {
        "swagger-ui.css": "swagger-ui.css",
        "swagger-ui-bundle.js": "swagger-ui-bundle.js",
        "LICENSE": "swagger-ui.LICENSE",
        "NOTICE": "swagger-ui.NOTICE",
    },
    "vazirmatn@33.0.3": {"fonts/webfonts/Vazirmatn[wght].woff2": "Vazirmatn.woff2", "OFL.txt": "Vazirmatn.LICENSE"},
}


def sha512(content: bytes) -> str:
    """The digest in the form npm and browsers use."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def fetch(package: str, files: dict[str, str], folder: Path) -> dict[str, Any]:
    """Take ``files`` (path in the package -> name here) out of ``package`` and describe them."""
    packed = subprocess.run(["npm", "pack", package, "--json"], cwd=folder, check=True, capture_output=True, text=True)
    archive = folder / json.loads(packed.stdout)[0]["filename"]
    digests = {}
    with tarfile.open(archive) as tar:
        described = json.loads(_content(tar, "package.json"))
        for path, name in files.items():
            content = b"\n".join(line for line in _content(tar, path).split(b"\n") if b"sourceMappingURL=" not in line)
            (STATIC / "vendor" / name).write_bytes(content)
            digests[name] = sha512(content)
    return {
        "name": described["name"],
        "version": described["version"],
        "licence": described["license"],
        "package": sha512(archive.read_bytes()),
        "files": digests,
    }


def _content(tar: tarfile.TarFile, path: str) -> bytes:
    member = tar.extractfile(f"package/{path}")
    assert member is not None
    return member.read()


def main() -> None:
    """Write the vendored files and the lock."""
    (STATIC / "vendor").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        lock = [fetch(package, files, Path(folder)) for package, files in WANTED.items()]
    (STATIC / "vendor.lock.json").write_text(json.dumps(lock, indent=2) + "\n")


if __name__ == "__main__":
    main()
