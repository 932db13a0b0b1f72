"""What is shown and where, as values and HTML; pure."""
