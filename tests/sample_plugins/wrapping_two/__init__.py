"""What the second version of ``wrapping`` changes: each wish has a ribbon."""
