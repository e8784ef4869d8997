"""views.open, push, update and publish."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.limits import check_view
from deploy.workspace.state import JSON
from deploy.workspace.web_api.call import Call, Method


def _view(call: Call) -> JSON:
    view = call.args.get("view")
    check_view(view)
    assert isinstance(view, dict)
    return view


def _modal(call: Call) -> tuple[str, JSON]:
    view = _view(call)
    if view["type"] != "modal":
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] the view must be a modal"]})
    return call.core.triggers.exchange(call.required("trigger_id")), view


async def open_view(call: Call) -> JSON:
    user, view = _modal(call)
    return {"view": call.core.views.open(user, view, call.text("trigger_id"))}


async def push(call: Call) -> JSON:
    user, view = _modal(call)
    return {"view": call.core.views.push(user, view)}


async def update(call: Call) -> JSON:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not view_id and not external_id:
        raise ApiError("invalid_arguments")
    view = call.core.views.update(_view(call), view_id=view_id, external_id=external_id, view_hash=call.text("hash"))
    return {"view": view}


async def publish(call: Call) -> JSON:
    return {"view": call.core.views.publish(call.user("user_id"), _view(call), call.text("hash"))}


METHODS: dict[str, Method] = {
    "views.open": open_view,
    "views.push": push,
    "views.update": update,
    "views.publish": publish,
}
