"""The one journal of change."""
