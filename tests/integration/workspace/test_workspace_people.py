"""Guests, people of other companies, closed accounts and groups, as Slack's Web API and events tell of them."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import Workspace
from deploy.workspace.driver import Driver


async def test_people_and_groups_are_told_of_as_slack_tells_of_them(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    async with Driver(workspace.url, "U0MAYA") as maya:
        await maya.control("set_person", user="U0GUEST", name="gil", is_restricted=True)
        await maya.control("set_person", user="U0OTHER", team_id="T0OTHER")
        await maya.control("set_person", user="U0SAM", deleted=True)
        told = [body["event"] for body in await maya.sent()]
        assert [(event["type"], event["user"]["id"]) for event in told] == [
            ("team_join", "U0GUEST"),
            ("team_join", "U0OTHER"),
            ("user_change", "U0SAM"),
        ]
        assert told[0]["user"]["is_restricted"]
        guest = (await client.users_info(user="U0GUEST"))["user"]
        assert (guest["is_restricted"], guest["is_ultra_restricted"], guest["team_id"]) == (True, False, "T0LOCAL")
        other = (await client.users_info(user="U0OTHER"))["user"]
        assert (other["is_stranger"], other["team_id"]) == (True, "T0OTHER")
        listed = {user["id"]: user for user in (await client.users_list())["members"]}
        assert "U0OTHER" not in listed
        assert listed["U0SAM"]["deleted"]
        assert "U0SAM" not in (await client.conversations_members(channel="C0HELP"))["members"]
        members = ["U0MAYA", "U0LEO", "U0SWITCH"]
        await maya.control("add_channel", channel="G0GROUP", name="mpdm", members=members, is_mpim=True)
        group = (await client.conversations_info(channel="G0GROUP"))["channel"]
        assert (group["is_mpim"], group["is_private"], group["is_channel"]) == (True, True, False)
        theirs = await client.users_conversations(user="U0LEO", types="mpim")
        assert [channel["id"] for channel in theirs["channels"]] == ["G0GROUP"]
        await maya.control("set_channel", channel="C0HELP", org_shared=True)
        shared = (await client.conversations_info(channel="C0HELP"))["channel"]
        assert (shared["is_org_shared"], shared["is_shared"], shared["is_ext_shared"]) == (True, True, False)
    async with Driver(workspace.url, "U0GUEST") as guest_there:
        channels = (await guest_there.boot())["channels"]
        assert [channel["id"] for channel in channels if not channel["is_im"]] == []
