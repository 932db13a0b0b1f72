"""The trail, the queue, the decisions: one database, and the only place with SQLAlchemy."""
