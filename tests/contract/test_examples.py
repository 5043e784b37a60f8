"""Examples of the manual do what they say."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from regulars_webhooks.signing import new_secret, signed_headers

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "webhooks.md"


@pytest.fixture
def is_genuine() -> Any:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(compile(found[1], PAGE.name, "exec"), names)  # noqa: S102 - our own manual
    return names["is_genuine"]


def test_receivers_of_webhooks_tell_ours_from_others(is_genuine: Any) -> None:
    new, old, now, body = new_secret(), new_secret(), int(time.time()), b'{"type":"ping"}'
    headers = signed_headers([new, old], "01a2", now, body)
    assert [is_genuine(secret, headers, body) for secret in (new, old)] == [True, True]
    assert not is_genuine(new_secret(), headers, body)
    assert not is_genuine(new, headers, body + b" ")
    assert not is_genuine(new, {**headers, "webhook-id": "01a3"}, body)
    assert not is_genuine(new, signed_headers([new], "01a2", now - 600, body), body)
