"""The page that runs the model in a browser, and the server for it."""
