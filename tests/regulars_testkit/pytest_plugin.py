"""The pytest plugin that `pip install regulars` brings along.

It names fixtures and nothing else: whatever is heavy (SQLAlchemy, the web application, a database server) is imported by the
fixture that needs it, so a project that merely has Regulars installed pays nothing.
"""

import pytest

pytest_plugins = ["regulars_testkit.databases", "regulars_testkit.fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgres: needs the real PostgreSQL server")
    config.addinivalue_line("markers", "xdist_group(name): with pytest-xdist, tests of one group run in one process")
