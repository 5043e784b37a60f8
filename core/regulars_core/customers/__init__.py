"""Customer records: their tables, rules, search and filters."""
