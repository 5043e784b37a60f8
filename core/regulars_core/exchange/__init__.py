"""The import and export engine."""
