"""What every platform test shares."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright drives the machine's own Chromium; run as root, Chromium starts only without its sandbox."""
    names = (os.environ.get("REGULARS_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("The browser tests need Chromium. Install it: sudo apt-get install chromium")
    return {**browser_type_launch_args, "executable_path": path, "args": ["--no-sandbox"] if os.getuid() == 0 else []}


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> Iterator[None]:
    yield
    if skipped := len(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(f"{skipped} skipped: a test that does not run proves nothing, so the run fails", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if session.exitstatus == pytest.ExitCode.OK and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
