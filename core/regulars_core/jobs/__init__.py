"""Work that is done later, by the worker."""
