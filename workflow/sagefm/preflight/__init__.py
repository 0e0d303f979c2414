"""What would fail after hours, looked at in minutes."""
