"""The platform's version and, apart from it, the version of the contract that plugins build on."""

__version__ = "0.1.0"
API_VERSION = "1.0"
