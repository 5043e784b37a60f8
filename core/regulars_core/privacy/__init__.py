"""Handing people their data, and forgetting them."""
