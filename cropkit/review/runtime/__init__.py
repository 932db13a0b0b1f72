"""What runs beside the drawing: threads, timers, reading ahead, who else is at work."""
