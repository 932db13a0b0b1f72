"""Which key does what, as tables; pure."""
