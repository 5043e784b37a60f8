"""Settings of plugins: checked by their own schemas, secrets encrypted."""
