"""A plugin that keeps something of everything: rows of customers, settings, permissions, subscriptions, work."""
