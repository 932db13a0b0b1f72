"""The version, read by the build and by whoever must say it without loading the package."""

__version__ = "0.1.0"
