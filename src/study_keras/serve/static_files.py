"""The files that the server serves: read into memory at the start, and found only by their exact paths."""

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from study_keras import limits
from study_keras.runtimes import tfjs_folder

CHUNK_SIZE = 65_536  # bytes; bounds the memory that a slow client takes
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
}  # not from the system's table, which differs between machines
_COMPRESSIBLE = {".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".webmanifest"}


class File(NamedTuple):
    """A file: its bytes, MIME type, ETag, and the bytes compressed by gzip if those are fewer."""

    content: bytes
    type: str
    etag: str
    compressed: bytes | None


def read_file(path: Path) -> File:
    """Read one file; its suffix determines its MIME type."""
    content = limits.read_bytes(path)
    compressed = gzip.compress(content, mtime=0) if path.suffix in _COMPRESSIBLE else None
    kind = _TYPES.get(path.suffix) or mimetypes.types_map.get(path.suffix, "application/octet-stream")
    etag = hashlib.sha256(content).hexdigest()[:32]
    return File(content, kind, etag, compressed if compressed and len(compressed) < len(content) else None)


def read_site(folder: Path) -> dict[str, File]:
    """Read the built page and return URL path -> file. Symbolic links are skipped."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    files = {"/" + path.relative_to(folder).as_posix(): read_file(path) for path in paths}
    if "/index.html" in files:
        files["/"] = files["/index.html"]
    return files


def read_tfjs(folder: Path) -> dict[str, File]:
    """Read a TF.js model and return name in ``folder`` -> file: ``model.json`` and the weight files that it names.

    Raises:
        ValueError: ``model.json`` is missing or broken, or names a file that is missing or outside ``folder``.
    """
    try:
        manifest = tfjs_folder.read_model_json(folder)["weightsManifest"]
        names = ["model.json", *(str(name) for group in manifest for name in group["paths"])]
        within = folder.resolve()
        paths = {name: (folder / name).resolve() for name in names}
        if outside := [name for name, path in paths.items() if within not in path.parents]:
            raise ValueError(f"names {outside[0]!r}, which is outside the folder")
        return {name: read_file(path) for name, path in paths.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{folder}: not a TF.js model with all its files ({error}); expected model.json") from error


class FileResponse(Response):
    """A file in chunks, compressed if the client accepts gzip; status 304 if the client has it."""

    def __init__(self, file: File, request: Headers) -> None:
        compressed = file.compressed is not None and "gzip" in request.get("accept-encoding", "")
        etag = f'"{file.etag}{"-gzip" if compressed else ""}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if file.compressed is not None:
            headers["Vary"] = "Accept-Encoding"
        known = [tag.strip().removeprefix("W/") for tag in request.get("if-none-match", "").split(",")]
        if etag in known or "*" in known:
            super().__init__(status_code=304, headers=headers)
            del self.headers["content-length"]
            return
        if compressed:
            headers["Content-Encoding"] = "gzip"
        super().__init__(
            file.compressed if compressed else file.content, headers={**headers, "Content-Type": file.type}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body) - CHUNK_SIZE, CHUNK_SIZE):
            await send({"type": "http.response.body", "body": self.body[start : start + CHUNK_SIZE], "more_body": True})
        rest = max(0, (len(self.body) - 1) // CHUNK_SIZE * CHUNK_SIZE)
        await send({"type": "http.response.body", "body": self.body[rest:]})
