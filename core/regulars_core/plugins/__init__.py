"""Finding plugins, checking them, switching them on and off, and removing what they kept."""
