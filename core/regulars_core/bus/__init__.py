"""How core talks to plugins: hooks that collect, signals that tell, the event log that delivers."""
