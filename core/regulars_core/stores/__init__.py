"""Stores and the regions they belong to."""
