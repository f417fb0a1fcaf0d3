"""The control endpoint: faults, failovers and power over HTTP, and the whole state as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from geoplan.lab.errors import LabError, NotInLabError
from geoplan.lab.faults import Fault
from geoplan.lab.serve.request_log import describe_control, logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from geoplan.lab.simulation import Simulation

NOT_FOUND = 404
UNPROCESSABLE = 422

WHAT_THERE_IS = (
    "there are GET /state, POST and DELETE /faults, DELETE /faults/NUMBER, POST /sites/NAME/fail-over"
    " and POST /units/ADDRESS/ACTION"
)


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


def control_app(simulation: Simulation) -> Starlette:
    """Return the application of the control endpoint.

    | request | does |
    |---|---|
    | ``GET /state`` | dumps the whole state |
    | ``POST /faults`` | injects a fault: ``--fault``'s text, or a JSON object; answers its number |
    | ``DELETE /faults``, ``DELETE /faults/NUMBER`` | lifts all faults, or one |
    | ``POST /sites/NAME/fail-over`` | lets a pair's active unit step down for its standby |
    | ``POST /units/ADDRESS/power-off``, ``power-on``, ``reboot``, ``lose-configuration`` | does that to a unit |
    | ``POST /units/ADDRESS/upgrade`` | reboots a unit into the firmware version that is sent |

    What it refuses it answers as JSON too: 404 for a unit, pair, fault or path that is not there, 405 for a method,
    422 for a fault that could never happen and for what the lab's present state does not allow.
    """
    of_unit: dict[str, Callable[[str], None]] = {
        "power-off": simulation.power_off,
        "power-on": simulation.power_on,
        "reboot": simulation.reboot,
        "lose-configuration": simulation.lose_configuration,
    }

    async def show_state(_request: Request) -> Answer:
        return Answer(simulation.state())

    async def change_faults(request: Request) -> Answer:
        if request.method == "DELETE":
            simulation.lift_all()
            return Answer({"faults": simulation.state()["faults"]})
        fault = _read_fault(await request.body())
        try:
            number = simulation.inject(fault)
        except NotInLabError as error:  # what is wrong is the fault, not the place that it was sent to
            raise LabError(str(error), hint=error.hint) from None
        return Answer({"number": number, "fault": str(fault)}, 201, said=f"fault {number}: {fault}")

    async def lift(request: Request) -> Answer:
        simulation.lift(request.path_params["number"])
        return Answer({"faults": simulation.state()["faults"]})

    async def fail_over(request: Request) -> Answer:
        simulation.fail_over(request.path_params["site"])
        return Answer({"site": request.path_params["site"]})

    async def do_to_unit(request: Request) -> Answer:
        address, action = request.path_params["address"], request.path_params["action"]
        if action == "upgrade":
            simulation.upgrade(address, (await request.body()).decode(errors="replace").strip())
        elif action in of_unit:
            of_unit[action](address)
        else:
            raise NotInLabError(f"the lab cannot '{action}' a unit", hint=f"it can {', '.join([*of_unit, 'upgrade'])}")
        return Answer({"unit": address, "power": simulation.network.unit(address).power})

    app = Starlette(
        routes=[
            Route("/state", _answering(show_state), methods=["GET"]),
            Route("/faults", _answering(change_faults), methods=["POST", "DELETE"]),
            Route("/faults/{number:int}", _answering(lift), methods=["DELETE"]),
            Route("/sites/{site:path}/fail-over", _answering(fail_over), methods=["POST"]),
            Route("/units/{address}/{action}", _answering(do_to_unit), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _misdirected},
    )
    app.router.redirect_slashes = False  # a redirect would be an answer without JSON
    return app


def _answering(endpoint: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Answer]]:
    """Log each request, and answer what the lab refuses as a failure that says why."""

    async def answer(request: Request) -> Answer:
        try:
            return _logged(request, await endpoint(request))
        except LabError as error:
            status = NOT_FOUND if isinstance(error, NotInLabError) else UNPROCESSABLE
            return _logged(request, _refusal(status, str(error), error.hint))

    return answer


async def _misdirected(request: Request, error: Exception) -> Answer:
    """Answer a path that is not there, or not for this method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    path = request.scope["path"]
    if error.status_code == NOT_FOUND:
        return _logged(request, _refusal(NOT_FOUND, f"there is no {path} here", WHAT_THERE_IS))
    allowed = (error.headers or {}).get("Allow", "")
    refusal = _refusal(error.status_code, f"{path} takes no {request.method}", f"it takes {allowed}", error.headers)
    return _logged(request, refusal)


def _refusal(status: int, error: str, hint: str | None, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer({"error": error, "hint": hint}, status, said=error, headers=headers)


def _logged(request: Request, answer: Answer) -> Answer:
    logger.info("%s", describe_control(request.method, request.scope["path"], answer.status_code, answer.said))
    return answer


def _read_fault(body: bytes) -> Fault:
    text = body.decode(errors="replace").strip()
    if not text.startswith("{"):
        return Fault.parse(text)
    try:
        written: Any = json.loads(text)
    except ValueError:
        raise LabError("the fault is no JSON", hint='send {"kind": "reset", …} or reset,…') from None
    return Fault.from_mapping(written)
