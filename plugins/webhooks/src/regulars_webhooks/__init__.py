"""Webhooks: what happens, told to other systems."""
