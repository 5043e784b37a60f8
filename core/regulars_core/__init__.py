"""The kernel: customers, stores, users, the bus, plugins, durable work and the exchange engine."""
