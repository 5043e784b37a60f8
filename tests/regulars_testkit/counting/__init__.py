"""Proof that events take effect exactly once: a plugin that counts them, workers to kill, and what must hold in the end."""
