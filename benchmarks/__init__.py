"""What protection costs, measured side by side with the same work without it."""
