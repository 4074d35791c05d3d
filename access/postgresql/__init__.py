"""Django's PostgreSQL backend, telling the database before a statement who is acting."""
