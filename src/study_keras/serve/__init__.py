"""The server, and the page as a single file."""
