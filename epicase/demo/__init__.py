"""The demonstration: a synthetic outbreak in an invented province, and the people who work on it."""
