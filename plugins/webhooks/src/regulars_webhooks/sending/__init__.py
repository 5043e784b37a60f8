"""Sending: which deliveries are next, the call itself, what it means, and the run that does all three until nothing is due."""
