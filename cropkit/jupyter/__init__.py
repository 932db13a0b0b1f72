"""A review in JupyterLab without a click: server, kernel, notebooks, and who opens them."""
