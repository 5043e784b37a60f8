"""Staff: who signs in, what they may do, and which stores they see."""
