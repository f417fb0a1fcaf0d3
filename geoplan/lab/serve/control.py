"""The control endpoint: faults, failovers and power over HTTP, and the whole state as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from geoplan.lab.errors import LabError, NotInLabError, NotReadableError
from geoplan.lab.operations import OF_UNIT, VERBS
from geoplan.lab.request_log import describe_control, logger
from geoplan.lab.serve.limits import BAD_REQUEST, RefusedRequestError, read_body, require_local
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from geoplan.lab.operations import Operations, Verb


NOT_FOUND = 404
UNPROCESSABLE = 422

PARAMETERS = {"NUMBER": "{place:int}", "NAME": "{place:path}", "ADDRESS": "{place}", "ACTION": "{action}"}


class Answer(JSONResponse):
    """An answer on a line of its own; ``said`` goes to the log."""

    def __init__(
        self, content: object, status_code: int = 200, *, said: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, status_code, headers)
        self.said = said

    def render(self, content: object) -> bytes:
        """Return the JSON and the end of its line."""
        return super().render(content) + b"\n"


def control_app(lab: Operations) -> Starlette:
    """Return the application of the control endpoint, which offers :data:`VERBS`.

    What it refuses it answers as JSON too: 400 for what cannot be read or is meant for another host, 403 for what a web
    page of another place sends, 408 and 413 for a body that is too slow or too large, 404 for a unit, pair, fault or
    path that is not there, 405 for a method, 422 for a fault that could never happen and for what the lab's present
    state does not allow.
    """
    by_path: dict[str, dict[str, Verb]] = {}
    for verb in VERBS:
        by_path.setdefault(verb.path, {})[verb.method] = verb
    routes = [Route(_pattern(path), _performing(lab, verbs), methods=list(verbs)) for path, verbs in by_path.items()]
    routes.append(Route(_pattern(f"{OF_UNIT}ACTION"), _unknown_action, methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _misdirected})
    app.router.redirect_slashes = False  # a redirect would be an answer without JSON
    return app


def _pattern(path: str) -> str:
    for word, parameter in PARAMETERS.items():
        path = path.replace(word, parameter)
    return path


def _performing(lab: Operations, verbs: Mapping[str, Verb]) -> Callable[[Request], Awaitable[Answer]]:
    """Perform one of the verbs of a path; answer what the lab refuses as a failure that says why."""

    async def answer(request: Request) -> Answer:
        verb = verbs["GET" if request.method == "HEAD" else request.method]
        try:
            require_local(request)
            text = _text(await read_body(request)) if verb.example else ""
            done = verb.do(lab, str(request.path_params.get("place", "")), text)
        except RefusedRequestError as error:
            closing = {"Connection": "close"}  # what is left of its body is not read
            return _logged(request, _refusal(error.status, str(error), error.hint, closing))
        except LabError as error:
            statuses = {NotInLabError: NOT_FOUND, NotReadableError: BAD_REQUEST}
            status = statuses.get(type(error), UNPROCESSABLE)
            return _logged(request, _refusal(status, str(error), error.hint))
        return _logged(request, Answer(done.content, done.status, said=done.said))

    return answer


def _text(body: bytes) -> str:
    try:
        return body.decode().strip()
    except UnicodeDecodeError:
        raise RefusedRequestError(BAD_REQUEST, "the body is not UTF-8 text", "send it in UTF-8") from None


async def _unknown_action(request: Request) -> Answer:
    known = [verb.path.removeprefix(OF_UNIT) for verb in VERBS if verb.path.startswith(OF_UNIT)]
    error = f"the lab cannot '{request.path_params['action']}' a unit"
    return _logged(request, _refusal(NOT_FOUND, error, f"it can {', '.join(known)}"))


async def _misdirected(request: Request, error: Exception) -> Answer:
    """Answer a path that is not there, or not for this method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    path = request.scope["path"]
    if error.status_code == NOT_FOUND:
        return _logged(request, _refusal(NOT_FOUND, f"there is no {path} here", _what_there_is()))
    allowed = (error.headers or {}).get("Allow", "")
    refusal = _refusal(error.status_code, f"{path} takes no {request.method}", f"it takes {allowed}", error.headers)
    return _logged(request, refusal)


def _refusal(status: int, error: str, hint: str | None, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer({"error": error, "hint": hint}, status, said=error, headers=headers)


def _logged(request: Request, answer: Answer) -> Answer:
    logger.info("%s", describe_control(request.method, request.scope["path"], answer.status_code, answer.said))
    return answer


def _what_there_is() -> str:
    """Return each path with its methods; those of a unit are one."""
    methods: dict[str, dict[str, None]] = {}
    for verb in VERBS:
        path = f"{OF_UNIT}ACTION" if verb.path.startswith(OF_UNIT) else verb.path
        methods.setdefault(path, {})[verb.method] = None
    return f"there are {join_words(f'{join_words(known)} {path}' for path, known in methods.items())}"
