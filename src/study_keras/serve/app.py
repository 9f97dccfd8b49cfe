"""What the server answers: ``POST /predict``, ``GET /health``, ``GET /models``, and files."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from study_keras.serve.static_files import File, FileResponse
from study_keras.serve.workers import MAX_PIXELS, QueueFullError, WorkerPool
from study_keras.vision.image_io import picture_kind
from study_keras.vision.prepare import CONTRACT

CURL = "curl --data-binary @digit.png http://127.0.0.1:8000/predict"


class Digit(BaseModel):
    """One digit, its name, its probability, that of each class, and where it is: left, top, right, bottom in pixels."""

    digit: int
    name: str
    probability: float
    probabilities: list[float]
    box: list[int]
    certain: bool


class Answer(BaseModel):
    """The number in a picture, its lines parted by line feeds."""

    image: str | None
    text: str
    digits: list[Digit]


class Model(BaseModel):
    """A file or folder with a model, for the page to run by itself; its classes' names where they are no digits."""

    name: str
    format: str
    bytes: int
    url: str
    classes: list[str] | None = None


class Health(BaseModel):
    """The server runs; its version, that of the picture preparation, and the models that /predict knows."""

    status: str
    version: str
    contract: int
    models: list[str]


class Error(BaseModel):
    """What was received, what was expected, and what to do."""

    error: str


_ERRORS = {
    400: "An empty body, or a model that is not here",
    403: "Sent by a page of another site",
    408: "The body came too slowly",
    413: "A body over the limit",
    415: "No PNG, JPEG, WebP, BMP or GIF",
    422: "A picture that is broken, too large, or has no ink",
    503: "All threads are busy and the queue is full; Retry-After says when to come again",
    504: "Reading took too long",
}
_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", "application/octet-stream")
_BODY = {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _PICTURES}, "required": True}


def create_app(
    pool: WorkerPool,
    names: Sequence[str],
    models: Sequence[Mapping[str, Any]],
    files: Mapping[str, File],
    *,
    body_limit: int,
    seconds: float,
) -> FastAPI:
    """Return the application.

    Args:
        pool: what recognizes the pictures.
        names: the models that ``pool`` knows, the default first.
        models: what ``GET /models`` says.
        files: path in the address -> file.
        body_limit: the most bytes of a body.
        seconds: for a body to come.
    """
    title, description = "Hello MNIST", "Reads handwritten digits in pictures."
    app = FastAPI(title=title, description=description, version=version("hello-mnist"), docs_url=None, redoc_url=None)
    app.exception_handler(HTTPException)(_refuse)
    errors: dict[int | str, dict[str, Any]] = {
        status: {"model": Error, "description": description} for status, description in _ERRORS.items()
    }

    @app.post("/predict", response_model=Answer, responses=errors, openapi_extra={"requestBody": _BODY})
    async def predict(
        request: Request,
        model: Annotated[str, Query(description="One of GET /health's models")] = names[0],
        name: Annotated[str | None, Query(description="Comes back as `image`")] = None,
    ) -> Response:
        """Read the digits in a picture, which is the whole body: PNG, JPEG, WebP, BMP or GIF, of any content type."""
        if model not in names:
            raise HTTPException(400, f"model={model!r}; expected one of {', '.join(names)}")
        picture = await read_body(request, body_limit, seconds)
        return _json({"image": name, **await read_picture(pool, model, picture)})

    @app.get("/health", response_model=Health)
    async def health() -> Response:
        """Say that the server runs."""
        return _json({"status": "ok", "version": version("hello-mnist"), "contract": CONTRACT, "models": list(names)})

    @app.get("/models", response_model=list[Model])
    async def list_models() -> Response:
        """List the models that a page can fetch and run."""
        return _json(list(models))

    missing: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "No such file"}}
    content: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file", "content": {"application/octet-stream": {}}}
    }

    @app.get("/models/{path:path}", responses={**content, **missing}, response_class=Response)
    async def model_file(request: Request, path: str) -> Response:
        """Give a model's file; a TF.js folder's `model.json` names the others."""
        return _file(files, request)

    @app.get("/{path:path}", include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        return _file(files, request)

    return app


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """Return the body of a request.

    Raises:
        HTTPException: 400 empty, 408 slower than ``seconds``, 413 over ``limit`` bytes, 415 packed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "a packed body (Content-Encoding); expected the picture itself")
    too_large = HTTPException(413, f"a body over {limit:,} bytes; expected at most that: make the picture smaller")
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        text = f"{len(body):,} bytes in {seconds:g} s and no end; expected the whole picture by then: send it again"
        raise HTTPException(408, text) from None
    except ClientDisconnect:
        raise HTTPException(400, f"{len(body):,} bytes and then no more; expected the whole picture") from None
    if not body:
        raise HTTPException(400, f"an empty body; expected a picture: {CURL}")
    return bytes(body)


async def read_picture(pool: WorkerPool, model: str, picture: bytes) -> dict[str, Any]:
    """Return what is in a picture.

    Raises:
        HTTPException: 415 no picture, 422 nothing to read in it, 503 no room, 504 too slow.
    """
    if picture_kind(picture) is None:
        hint = "; send it as the body itself, not as a form: " + CURL if picture.startswith(b"--") else ""
        found = f"{len(picture)} bytes that begin with {picture[:8]!r}"
        raise HTTPException(415, f"{found}; expected a picture: PNG, JPEG, WebP, BMP or GIF{hint}")
    try:
        return await pool.recognize(model, picture)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    except QueueFullError:
        text = "as many pictures as there is room for are being read; expected fewer at once: come again in a second"
        raise HTTPException(503, text, {"Retry-After": "1"}) from None
    except TimeoutError:
        most = f"{MAX_PIXELS // 1_000_000} megapixels"
        raise HTTPException(
            504, f"reading took too long; expected a picture far below {most}: make it smaller"
        ) from None


def _file(files: Mapping[str, File], request: Request) -> Response:
    path = request.scope["path"]
    if path in files:
        return FileResponse(files[path], request.headers)
    if path == "/":
        raise HTTPException(503, "the page is not built; POST /predict works. Build it with: make run")
    if path == "/predict":
        raise HTTPException(405, headers={"Allow": "POST"})
    raise HTTPException(404, "no such file here; expected /, /predict, /health, /models or /openapi.json")


async def _refuse(request: Request, error: HTTPException) -> Response:
    text = error.detail
    if error.status_code == 405:
        text = f"{request.method} does not work here; expected {(error.headers or {}).get('Allow', 'GET')}"
    return _json({"error": text}, error.status_code, error.headers)


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    given = {"Cache-Control": "no-store", **(headers or {})}
    return Response(text.encode(errors="replace"), status, given, "application/json")
