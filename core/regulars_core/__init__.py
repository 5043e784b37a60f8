"""The kernel: what every chain needs, whatever it sells."""
