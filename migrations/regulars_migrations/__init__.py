"""The schema: one version table per owner, one runner for both databases."""
