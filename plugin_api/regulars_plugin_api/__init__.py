"""The contract between Regulars and its plugins: everything a plugin may import, and nothing else."""
