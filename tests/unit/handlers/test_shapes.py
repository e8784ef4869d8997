from __future__ import annotations

from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.shapes import understood


def test_a_modal_with_several_addresses_for_its_answer_is_taken_with_the_first() -> None:
    urls = [{"response_url": f"https://hooks.slack.com/actions/{number}"} for number in range(2)]
    view = {"id": "V1", "type": "modal", "callback_id": "another", "state": {"values": {}}}
    body = understood({"type": "view_submission", "user": {"id": "U1"}, "view": view, "response_urls": urls})
    request = AsyncBoltRequest(body=body, mode="socket_mode")
    assert request.context.response_url == urls[0]["response_url"]
