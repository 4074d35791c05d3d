"""The project: settings, addresses, processes. Nothing imports it."""
