"""What a process of the web does not carry along."""

from __future__ import annotations

import subprocess
import sys

import pytest

from regulars_web.lean import without


def test_the_web_loads_nothing_for_tracebacks_in_colour_or_one_time_passwords() -> None:
    asked = "import sys, regulars_web.app, regulars_web.starting; print([name for name in ('rich', 'cryptography') if name in sys.modules])"
    told = "import regulars_core.settings.secrets, rich.console; print('and both are there for who asks')"
    done = subprocess.run([sys.executable, "-c", f"{asked}; {told}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "and both are there for who asks"]


def test_what_is_loaded_already_stays() -> None:
    before = sys.modules["pytest"]
    with without("pytest"):
        assert sys.modules["pytest"] is before
    with pytest.raises(ImportError), without("wave"):
        import wave as wave
    assert "wave" not in sys.modules
