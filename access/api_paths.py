"""Addresses of the API, for this room and those to its left."""

from audit.api_paths import api_path, described

__all__ = ["api_path", "described"]
