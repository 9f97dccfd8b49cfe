"""Serves a folder as any host of static files would, under the strict policy that the page must live with.

python static_server.py FOLDER prints its address, and stops when it is told to.
"""

import functools
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from study_keras.serve.middleware import CONTENT_POLICY


class Handler(SimpleHTTPRequestHandler):
    """Quiet, and with the policy."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
    }

    def end_headers(self):
        self.send_header("Content-Security-Policy", CONTENT_POLICY)
        self.send_header("Cache-Control", "no-cache")  # offline then means the service worker, not the browser's cache
        super().end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
