"""The control endpoint: faults, failovers and power over HTTP, and the whole state as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from geoplan.lab.errors import LabError
from geoplan.lab.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from geoplan.lab.simulation import Simulation


def control_app(simulation: Simulation) -> Starlette:
    """Return the application of the control endpoint.

    | request | does |
    |---|---|
    | ``GET /state`` | dumps the whole state |
    | ``POST /faults`` | injects a fault: ``--fault``'s text, or a JSON object; answers its number |
    | ``DELETE /faults``, ``DELETE /faults/NUMBER`` | lifts all faults, or one |
    | ``POST /sites/NAME/fail-over`` | lets a pair's active unit step down for its standby |
    | ``POST /units/ADDRESS/power-off``, ``power-on``, ``reboot``, ``lose-configuration`` | does that to a unit |
    """
    of_unit: dict[str, Callable[[str], None]] = {
        "power-off": simulation.power_off,
        "power-on": simulation.power_on,
        "reboot": simulation.reboot,
        "lose-configuration": simulation.lose_configuration,
    }

    async def show_state(_request: Request) -> JSONResponse:
        return JSONResponse(simulation.state())

    async def inject(request: Request) -> JSONResponse:
        fault = _read_fault(await request.body())
        return JSONResponse({"number": simulation.inject(fault), "fault": str(fault)}, status_code=201)

    async def lift(request: Request) -> JSONResponse:
        if "number" in request.path_params:
            simulation.lift(request.path_params["number"])
        else:
            simulation.lift_all()
        return JSONResponse({"faults": simulation.state()["faults"]})

    async def fail_over(request: Request) -> JSONResponse:
        simulation.fail_over(request.path_params["site"])
        return JSONResponse({"site": request.path_params["site"]})

    async def do_to_unit(request: Request) -> JSONResponse:
        address, action = request.path_params["address"], request.path_params["action"]
        if action not in of_unit:
            raise LabError(f"the lab cannot '{action}' a unit", hint=f"it can {', '.join(of_unit)}")
        of_unit[action](address)
        return JSONResponse({"unit": address, "power": simulation.network.unit(address).power})

    return Starlette(
        routes=[
            Route("/state", show_state, methods=["GET"]),
            Route("/faults", _answering(inject), methods=["POST"]),
            Route("/faults", _answering(lift), methods=["DELETE"]),
            Route("/faults/{number:int}", _answering(lift), methods=["DELETE"]),
            Route("/sites/{site:path}/fail-over", _answering(fail_over), methods=["POST"]),
            Route("/units/{address}/{action}", _answering(do_to_unit), methods=["POST"]),
        ]
    )


def _answering(endpoint: Callable[[Request], Awaitable[JSONResponse]]) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Answer what the lab refuses as a failure that says why."""

    async def answer(request: Request) -> JSONResponse:
        try:
            return await endpoint(request)
        except LabError as error:
            return JSONResponse({"error": str(error), "hint": error.hint}, status_code=422)

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
