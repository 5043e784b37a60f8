"""Fixtures and checks for the platform and for plugin authors."""
