"""The twin: the same tables, list and views on plain Django, in plain text, in a process of its own."""
