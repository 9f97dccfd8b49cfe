"""The HTTP API: ``POST /predict``, ``GET /health``, ``GET /models``, and files."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from study_keras.plain_text import to_json
from study_keras.serve.request_body import CURL, BodyReader
from study_keras.serve.static_files import File, FileResponse
from study_keras.serve.workers import MAX_PIXELS, QueueFullError, WorkerPool
from study_keras.vision.image_io import not_a_picture, picture_kind
from study_keras.vision.prepare import CONTRACT


class Digit(BaseModel):
    """A digit, its name, its probability, those of all classes, and its box: left, top, right, bottom in pixels."""

    digit: int
    name: str
    probability: float
    probabilities: list[float]
    box: list[int]
    certain: bool


class Answer(BaseModel):
    """The number in a picture, with a line feed between lines and a ? for each of the ``unread`` boxes.

    ``turned``: by how many degrees, counterclockwise, the picture was turned to be read.
    """

    image: str | None
    text: str
    digits: list[Digit]
    unread: list[list[int]]
    turned: int


class Model(BaseModel):
    """A model that a page can run itself; `classes` are the names of its classes if they are not digits.

    `shipped`: whether it is the network of this package, whose answers the reader of marks completes.
    """

    name: str
    format: str
    bytes: int
    url: str
    shipped: bool
    classes: list[str] | None = None


class Health(BaseModel):
    """The server's version, that of the picture preparation, and the models that /predict knows."""

    status: str
    version: str
    contract: int
    models: list[str]


class Error(BaseModel):
    """What was received, what was expected, and what to do."""

    error: str


def _described(errors: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Error, "description": description} for status, description in errors.items()}


_ERRORS = _described(
    {
        400: "The body is empty, or the model is unknown",
        403: "The request comes from a page of another site",
        408: "The request body timed out",
        413: "The body exceeds the limit",
        415: "Not a PNG, JPEG, WebP, BMP or GIF",
        422: "The picture is broken, too large, or of one colour",
        503: "The queue or the memory for pictures is full; retry after the seconds in Retry-After",
        504: "The recognition timed out",
    }
)
_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", "application/octet-stream")
_BODY = {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _PICTURES}, "required": True}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/octet-stream": {}}},
    **_described({404: "No such file"}),
}


def create_app(
    pool: WorkerPool,
    names: Sequence[str],
    models: Sequence[Mapping[str, Any]],
    files: Mapping[str, File],
    *,
    bodies: BodyReader,
) -> FastAPI:
    """Return the application.

    Args:
        pool: recognizes the pictures.
        names: the models that ``pool`` knows, the default first.
        models: the answer of ``GET /models``.
        files: URL path -> file.
        bodies: reads the bodies of requests.
    """
    title, description = "Hello MNIST", "Recognizes handwritten digits in pictures."
    app = FastAPI(title=title, description=description, version=version("hello-mnist"), docs_url=None, redoc_url=None)
    app.exception_handler(HTTPException)(_error_response)

    @app.post("/predict", response_model=Answer, responses=_ERRORS, openapi_extra={"requestBody": _BODY})
    async def predict(
        request: Request,
        model: Annotated[str, Query(description="One of GET /health's models")] = names[0],
        name: Annotated[str | None, Query(description="Returned as `image`")] = None,
    ) -> Response:
        """Recognize the digits in a picture. The body is the file: PNG, JPEG, WebP, BMP or GIF, of any content type."""
        if model not in names:
            raise HTTPException(400, f"model={model!r}; expected one of {', '.join(names)}")
        async with bodies.read(request) as picture:
            answer = await recognize_picture(pool, model, picture)
        return _json({"image": name, **answer})

    _add_lists(app, names, models)
    _add_files(app, files)
    return app


def _add_lists(app: FastAPI, names: Sequence[str], models: Sequence[Mapping[str, Any]]) -> None:
    @app.get("/health", response_model=Health)
    async def health() -> Response:
        """Return that the server runs."""
        return _json({"status": "ok", "version": version("hello-mnist"), "contract": CONTRACT, "models": list(names)})

    @app.get("/models", response_model=list[Model])
    async def list_models() -> Response:
        """List the models that a page can fetch and run."""
        return _json(list(models))


def _add_files(app: FastAPI, files: Mapping[str, File]) -> None:
    @app.get("/models/{path:path}", responses=_FILE, response_class=Response)
    async def model_file(request: Request, path: str) -> Response:
        """Return a file of a model; the `model.json` of a TF.js folder names the others."""
        return _file_response(files, request)

    @app.get("/{path:path}", include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        return _file_response(files, request)


async def recognize_picture(pool: WorkerPool, model: str, picture: bytes | bytearray) -> dict[str, Any]:
    """Return the answer for a picture.

    Raises:
        HTTPException: 415 not a picture, 422 nothing to recognize in it, 503 queue full, 504 timed out.
    """
    if picture_kind(picture) is None:
        hint = "; send it as the body itself, not as a form: " + CURL if picture.startswith(b"--") else ""
        raise HTTPException(415, f"{not_a_picture(picture)}{hint}")
    try:
        return await pool.recognize(model, picture)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    except QueueFullError:
        text = "server busy: the queue of pictures is full; expected fewer at once: retry after 1 s"
        raise HTTPException(503, text, {"Retry-After": "1"}) from None
    except TimeoutError:
        limit = f"{MAX_PIXELS // 1_000_000} megapixels"
        text = f"the recognition took too long; expected a picture far below {limit}: make it smaller"
        raise HTTPException(504, text) from None


def _file_response(files: Mapping[str, File], request: Request) -> Response:
    path = request.scope["path"]
    if path in files:
        return FileResponse(files[path], request.headers)
    if path == "/":
        raise HTTPException(503, "the page is not built; POST /predict works. Build it with: make run")
    if path == "/predict":
        raise HTTPException(405, headers={"Allow": "POST"})
    raise HTTPException(404, "no such file here; expected /, /predict, /health, /models or /openapi.json")


async def _error_response(request: Request, error: HTTPException) -> Response:
    text = error.detail
    if error.status_code == 405:
        text = f"{request.method} is not allowed here; expected {(error.headers or {}).get('Allow', 'GET')}"
    return _json({"error": text}, error.status_code, error.headers)


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = to_json(content, ensure_ascii=False, separators=(",", ":"))
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(text.encode(errors="replace"), status, headers, "application/json")
