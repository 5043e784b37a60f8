"""Contacts as files hold them, in and out."""
