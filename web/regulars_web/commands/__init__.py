"""The commands of ``regulars``, one module per group. ``COMMANDS`` of each maps names to click commands."""
