"""Field encryption: fields that seal themselves and the keys that open them. Knows no person and no role."""
