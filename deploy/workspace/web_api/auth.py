"""api.test, auth.test, apps.connections.open, team.info, bots.info, oauth.v2.access."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.state import APP_ID, BOT_ID, BOT_USER, JSON
from deploy.workspace.web_api.call import Call, Method


async def test_api(call: Call) -> JSON:
    if error := call.text("error"):
        raise ApiError(error, args=call.args)
    return {"args": call.args}


async def test_auth(call: Call) -> JSON:
    return {
        "url": f"{call.state.url}/",
        "team": call.state.team_name,
        "team_id": call.state.team_id,
        "user": call.state.people[BOT_USER].name,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "enterprise_id": call.state.enterprise_id,
        "is_enterprise_install": call.state.installed_by_org,
    }


async def open_connection(call: Call) -> JSON:
    address = call.state.url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={call.core.sockets.ticket()}&app_id={APP_ID}"}


async def team_info(call: Call) -> JSON:
    return {
        "team": {
            "id": call.state.team_id,
            "name": call.state.team_name,
            "domain": call.state.domain,
            "url": f"{call.state.url}/",
        }
    }


async def bot_info(call: Call) -> JSON:
    if call.text("bot", BOT_ID) != BOT_ID:
        raise ApiError("bot_not_found")
    bot = call.state.people[BOT_USER]
    return {"bot": {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT_USER, "name": bot.real_name, "deleted": False}}


async def exchange_code(call: Call) -> JSON:
    call.required("code")
    return {
        "access_token": call.core.bot_token,
        "token_type": "bot",
        "scope": ",".join(call.core.scopes),
        "bot_user_id": BOT_USER,
        "app_id": APP_ID,
        "team": {"id": call.state.team_id, "name": call.state.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": next(each.id for each in call.state.people.values() if each.is_owner)},
    }


METHODS: dict[str, Method] = {
    "api.test": test_api,
    "auth.test": test_auth,
    "apps.connections.open": open_connection,
    "team.info": team_info,
    "bots.info": bot_info,
    "oauth.v2.access": exchange_code,
}
