"""Contact tracking: what was said to customers, and what comes next."""
