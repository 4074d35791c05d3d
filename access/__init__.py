"""Organisations, users, roles and grants: who may see what."""
