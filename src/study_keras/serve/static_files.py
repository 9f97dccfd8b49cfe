"""The files that the server gives away: read once at the start, found by their exact names, and no others."""

import gzip
import hashlib
import json
import mimetypes
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE = 65_536  # bytes handed to the socket at once, so that a slow reader keeps this much waiting and not a whole file
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}  # not from the system's table, which differs from machine to machine
_SMALLER_PACKED = {".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".webmanifest"}


class File(NamedTuple):
    """A file as it is sent: its bytes, MIME type, mark of its version, and, where that is smaller, packed by gzip."""

    content: bytes
    type: str
    etag: str
    packed: bytes | None


def read_file(path: Path) -> File:
    """Read one file, with the type that its suffix names."""
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if path.suffix in _SMALLER_PACKED else None
    kind = _TYPES.get(path.suffix) or mimetypes.types_map.get(path.suffix, "application/octet-stream")
    etag = hashlib.sha256(content).hexdigest()[:32]
    return File(content, kind, etag, packed if packed and len(packed) < len(content) else None)


def read_site(folder: Path) -> dict[str, File]:
    """Read the built page: the path in the address -> the file. Links are left out, wherever they lead."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    files = {"/" + path.relative_to(folder).as_posix(): read_file(path) for path in paths}
    if "/index.html" in files:
        files["/"] = files["/index.html"]
    return files


def read_tfjs(folder: Path) -> dict[str, File]:
    """Read a TF.js model: ``model.json`` and the weight files that it names, by their names in ``folder``.

    Raises:
        ValueError: ``model.json`` is missing or broken, or names a file that is missing or outside ``folder``.
    """
    try:
        manifest = json.loads((folder / "model.json").read_text(encoding="utf-8"))["weightsManifest"]
        names = ["model.json", *(str(name) for group in manifest for name in group["paths"])]
        within = folder.resolve()
        paths = {name: (folder / name).resolve() for name in names}
        if outside := [name for name, path in paths.items() if within not in path.parents]:
            raise ValueError(f"names {outside[0]!r}, which lies outside the folder")
        return {name: read_file(path) for name, path in paths.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder}: not a TF.js model with all its files ({error}); expected model.json") from error


class FileResponse(Response):
    """A file, or 304 where the client has it; packed where the client unpacks; in pieces, so that memory is bounded."""

    def __init__(self, file: File, request: Headers) -> None:
        packed = file.packed is not None and "gzip" in request.get("accept-encoding", "")
        etag = f'"{file.etag}{"-gzip" if packed else ""}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if file.packed is not None:
            headers["Vary"] = "Accept-Encoding"
        known = [mark.strip().removeprefix("W/") for mark in request.get("if-none-match", "").split(",")]
        if etag in known or "*" in known:
            super().__init__(status_code=304, headers=headers)
            del self.headers["content-length"]
            return
        if packed:
            headers["Content-Encoding"] = "gzip"
        super().__init__(file.packed if packed else file.content, headers={**headers, "Content-Type": file.type})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body) - PIECE, PIECE):
            await send({"type": "http.response.body", "body": self.body[start : start + PIECE], "more_body": True})
        rest = max(0, (len(self.body) - 1) // PIECE * PIECE)
        await send({"type": "http.response.body", "body": self.body[rest:]})
