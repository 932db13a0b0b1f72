"""Processes of their own that read and write images, for reviews and batches; none shows them."""
