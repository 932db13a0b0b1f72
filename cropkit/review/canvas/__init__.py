"""Pictures and boxes on the screen: the only place with ipycanvas."""
