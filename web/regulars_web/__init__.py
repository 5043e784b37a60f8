"""The staff's pages, the REST API and the command line."""
