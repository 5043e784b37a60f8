"""A plugin with a table of its own that writes one row for each event it is told of."""
