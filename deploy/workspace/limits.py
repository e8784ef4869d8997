"""What Slack accepts in blocks and views, and the words with which it refuses the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deploy.workspace.errors import ApiError
from deploy.workspace.state import JSON

MAX_MARKDOWN = 12_000
MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_BLOCKS_LENGTH = 13_200
MAX_VIEW_BYTES = 250_000
MAX_METADATA = 3_000
MAX_CHARTS = 2

ANYWHERE = frozenset({"section", "divider", "image", "actions", "context", "header", "input", "rich_text", "video"})
IN_MESSAGES = ANYWHERE | {
    "markdown", "table", "data_table", "data_visualization", "context_actions", "file", "card", "carousel",
    "container", "alert", "plan", "task_card",
}  # fmt: skip
IN_MODALS = ANYWHERE | {"alert", "card", "carousel", "container"}
IN_HOME = ANYWHERE | {"card", "carousel", "container"}

BUTTONS = frozenset({"button", "workflow_button", "overflow", "image", "icon_button", "feedback_buttons"})
PICKERS = frozenset({
    "static_select", "external_select", "users_select", "conversations_select", "channels_select",
    "multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
    "multi_channels_select", "radio_buttons", "checkboxes", "datepicker", "timepicker", "datetimepicker",
})  # fmt: skip
INPUTS = frozenset({
    "plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input",
})  # fmt: skip

Complaints = Iterator[tuple[str, str]]  # (what is wrong, JSON pointer below the block)


def check_message_blocks(blocks: Sequence[JSON]) -> None:
    """Raise what Slack answers to a message with blocks like these: `invalid_blocks`, `msg_blocks_too_long`."""
    _check(blocks, MAX_MESSAGE_BLOCKS, IN_MESSAGES)
    if blocks_length(blocks) > MAX_BLOCKS_LENGTH:
        raise ApiError("msg_blocks_too_long")
    charts = sum(1 for block in blocks if block["type"] == "data_visualization")
    if charts > MAX_CHARTS:
        _refuse(f"no more than {MAX_CHARTS} data_visualization blocks allowed", "/blocks")


def check_view(view: Any) -> None:
    """Raise what Slack answers to a modal or a Home tab like this one."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        raise _invalid_arguments("failed to match all allowed schemas", "/view/type")
    modal = view["type"] == "modal"
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        raise _invalid_arguments("missing required field: blocks", "/view")
    for part in ("title", "submit", "close"):
        text = view.get(part)
        if text is None and not (modal and part == "title"):
            continue
        if complaint := _text_complaint(text, 24, plain=True):
            raise _invalid_arguments(complaint, f"/view/{part}")
    if modal and view.get("submit") is None and any(block.get("type") == "input" for block in blocks):
        raise _invalid_arguments("submit is required when an input is present", "/view")
    if len(view.get("private_metadata") or "") > MAX_METADATA:
        raise _invalid_arguments(f"must be less than {MAX_METADATA + 1} characters", "/view/private_metadata")
    if len(view.get("callback_id") or "") > 255:
        raise _invalid_arguments("must be less than 256 characters", "/view/callback_id")
    if len(repr(view).encode()) > MAX_VIEW_BYTES:
        raise ApiError("view_too_large")
    try:
        _check(blocks, MAX_VIEW_BLOCKS, IN_MODALS if modal else IN_HOME)
    except ApiError as refused:
        raise ApiError("invalid_arguments", **refused.details) from refused


def blocks_length(value: Any) -> int:
    """Characters of all texts in blocks, which is what Slack seems to add up for `msg_blocks_too_long`."""
    if isinstance(value, dict):
        return sum(
            len(each) if key == "text" and isinstance(each, str) else blocks_length(each) for key, each in value.items()
        )
    return sum(blocks_length(each) for each in value) if isinstance(value, list | tuple) else 0


def _check(blocks: Any, most: int, allowed: frozenset[str]) -> None:
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    if len(blocks) > most:
        _refuse(f"no more than {most} items allowed", "/blocks")
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in allowed:
            _refuse(f"unsupported type: {kind}", f"{where}/type")
        block_id = block.get("block_id") or ""
        if len(block_id) > 255:
            _refuse("must be less than 256 characters", f"{where}/block_id")
        if block_id and block_id in seen:
            _refuse(f"block_id already exists: {block_id}", f"{where}/block_id")
        seen.add(block_id)
        for complaint, pointer in _CHECKS.get(kind, _nothing)(block):
            _refuse(complaint, where + pointer)


def _refuse(complaint: str, pointer: str) -> None:
    message = f"[ERROR] {complaint} [json-pointer:{pointer}]"
    raise ApiError("invalid_blocks", errors=[message], response_metadata={"messages": [message]})


def _invalid_arguments(complaint: str, pointer: str) -> ApiError:
    message = f"[ERROR] {complaint} [json-pointer:{pointer}]"
    return ApiError("invalid_arguments", response_metadata={"messages": [message]})


def _text_complaint(text: Any, most: int, *, plain: bool = False, least: int = 1) -> str | None:
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return "missing or malformed text object"
    if text.get("type") not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        return f"unsupported type: {text.get('type')}"
    if len(text["text"]) < least:
        return f"must be more than {least - 1} characters"
    if len(text["text"]) > most:
        return f"must be less than {most + 1} characters"
    return None


def _text(text: Any, most: int, pointer: str, *, plain: bool = False) -> Complaints:
    if complaint := _text_complaint(text, most, plain=plain):
        yield complaint, f"{pointer}/text"


def _nothing(block: JSON) -> Complaints:
    yield from ()


def _section(block: JSON) -> Complaints:
    if "text" not in block and not block.get("fields"):
        yield "missing required field: text or fields", ""
    if "text" in block:
        yield from _text(block["text"], 3000, "/text")
    fields = block.get("fields") or []
    if len(fields) > 10:
        yield "no more than 10 items allowed", "/fields"
    for number, each in enumerate(fields):
        yield from _text(each, 2000, f"/fields/{number}")
    if "accessory" in block:
        yield from _element(block["accessory"], BUTTONS | PICKERS, "/accessory")


def _header(block: JSON) -> Complaints:
    yield from _text(block.get("text"), 150, "/text", plain=True)


def _markdown(block: JSON) -> Complaints:
    text = block.get("text")
    if not isinstance(text, str):
        yield "missing required field: text", ""
    elif len(text) > MAX_MARKDOWN:
        yield f"must be less than {MAX_MARKDOWN + 1} characters", "/text"


def _context(block: JSON) -> Complaints:
    elements = block.get("elements")
    if not elements or len(elements) > 10:
        yield "must have between 1 and 10 elements", "/elements"
        return
    for number, element in enumerate(elements):
        if element.get("type") == "image":
            yield from _image(element, f"/elements/{number}")
        else:
            yield from _text(element, 3000, f"/elements/{number}")


def _actions(block: JSON) -> Complaints:
    yield from _elements(block, 25, (BUTTONS | PICKERS) - {"image", "icon_button", "feedback_buttons"})


def _context_actions(block: JSON) -> Complaints:
    yield from _elements(block, 5, frozenset({"feedback_buttons", "icon_button"}))


def _input(block: JSON) -> Complaints:
    yield from _text(block.get("label"), 2000, "/label", plain=True)
    if "hint" in block:
        yield from _text(block["hint"], 2000, "/hint", plain=True)
    yield from _element(block.get("element"), INPUTS | PICKERS, "/element")


def _image(block: JSON, pointer: str = "") -> Complaints:
    if not block.get("image_url") and not block.get("slack_file"):
        yield "missing required field: image_url or slack_file", pointer
    if not block.get("alt_text"):
        yield "missing required field: alt_text", pointer
    for key, most in (("image_url", 3000), ("alt_text", 2000)):
        if len(block.get(key) or "") > most:
            yield f"must be less than {most + 1} characters", f"{pointer}/{key}"


def _table(block: JSON, most_rows: int = 100, least_rows: int = 1) -> Complaints:
    rows = block.get("rows")
    if not isinstance(rows, list) or not least_rows <= len(rows) <= most_rows:
        yield f"must have between {least_rows} and {most_rows} rows", "/rows"
        return
    for number, row in enumerate(rows):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            yield "must have between 1 and 20 cells", f"/rows/{number}"
            continue
        for column, cell in enumerate(row):
            if not isinstance(cell, dict) or cell.get("type") not in ("raw_text", "raw_number", "rich_text"):
                yield "unsupported cell type", f"/rows/{number}/{column}/type"


def _data_table(block: JSON) -> Complaints:
    if not isinstance(block.get("caption"), str) or not block["caption"]:
        yield "missing required field: caption", ""
    if not 1 <= int(block.get("page_size") or 5) <= 100:
        yield "must be between 1 and 100", "/page_size"
    yield from _table(block, most_rows=101, least_rows=2)
    if len({len(row) for row in block.get("rows") or []}) > 1:
        yield "all rows must have the same number of cells", "/rows"


def _chart(block: JSON) -> Complaints:
    title, chart = block.get("title"), block.get("chart")
    if not isinstance(title, str) or not 1 <= len(title) <= 50:
        yield "must be between 1 and 50 characters", "/title"
    if not isinstance(chart, dict) or chart.get("type") not in ("pie", "bar", "area", "line"):
        yield "unsupported chart type", "/chart/type"
        return
    parts = chart.get("segments" if chart["type"] == "pie" else "series")
    if not isinstance(parts, list) or not 1 <= len(parts) <= 6:
        yield "must have between 1 and 6 items", "/chart"
        return
    if chart["type"] == "pie":
        yield from _points(parts, "/chart/segments")
        return
    categories = (chart.get("axis_config") or {}).get("categories")
    if not isinstance(categories, list) or not 1 <= len(categories) <= 20:
        yield "must have between 1 and 20 items", "/chart/axis_config/categories"
        return
    for number, series in enumerate(parts):
        if not 1 <= len(series.get("name") or "") <= 20:
            yield "must be between 1 and 20 characters", f"/chart/series/{number}/name"
        yield from _points(series.get("data") or [], f"/chart/series/{number}/data")
        if any(point.get("label") not in categories for point in series.get("data") or []):
            yield "labels must be among the categories", f"/chart/series/{number}/data"


def _points(points: list[JSON], pointer: str) -> Complaints:
    for number, point in enumerate(points):
        if not 1 <= len(point.get("label") or "") <= 20:
            yield "must be between 1 and 20 characters", f"{pointer}/{number}/label"
        if isinstance(point.get("value"), bool) or not isinstance(point.get("value"), int | float):
            yield "must be a number", f"{pointer}/{number}/value"


def _container(block: JSON) -> Complaints:
    children = block.get("child_blocks") or []
    if len(children) > 10:
        yield "no more than 10 items allowed", "/child_blocks"
    for number, child in enumerate(children):
        for complaint, pointer in _CHECKS.get(child.get("type"), _nothing)(child):
            yield complaint, f"/child_blocks/{number}{pointer}"


def _elements(block: JSON, most: int, allowed: frozenset[str]) -> Complaints:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        yield f"must have between 1 and {most} elements", "/elements"
        return
    for number, element in enumerate(elements):
        yield from _element(element, allowed, f"/elements/{number}")
    action_ids = [element.get("action_id") for element in elements if element.get("action_id")]
    if len(set(action_ids)) < len(action_ids):
        yield "action_id must be unique", "/elements"


def _element(element: Any, allowed: frozenset[str], pointer: str) -> Complaints:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in allowed:
        yield f"unsupported type: {kind}", f"{pointer}/type"
        return
    if len(element.get("action_id") or "") > 255:
        yield "must be less than 256 characters", f"{pointer}/action_id"
    if kind == "button":
        yield from _text(element.get("text"), 75, f"{pointer}/text", plain=True)
    if kind == "image":
        yield from _image(element, pointer)
    if kind == "feedback_buttons":
        for name in ("positive_button", "negative_button"):
            yield from _text((element.get(name) or {}).get("text"), 75, f"{pointer}/{name}/text", plain=True)
    if kind in ("button", "icon_button") and len(element.get("value") or "") > 2000:
        yield "must be less than 2001 characters", f"{pointer}/value"
    if "placeholder" in element:
        yield from _text(element["placeholder"], 150, f"{pointer}/placeholder", plain=True)
    yield from _options(element, pointer)


def _options(element: JSON, pointer: str) -> Complaints:
    most = {"overflow": 5, "radio_buttons": 10, "checkboxes": 10}.get(element["type"], 100)
    groups = element.get("option_groups")
    needed = element["type"] in ("overflow", "radio_buttons", "checkboxes", "static_select", "multi_static_select")
    options = element.get("options")
    if needed and not options and not groups:
        yield "must have at least 1 option", f"{pointer}/options"
    for where, listed in [("/options", options or [])] + [
        (f"/option_groups/{number}/options", group.get("options") or []) for number, group in enumerate(groups or [])
    ]:
        if len(listed) > most:
            yield f"no more than {most} items allowed", pointer + where
        for number, option in enumerate(listed):
            yield from _text(option.get("text"), 75, f"{pointer}{where}/{number}/text")
            if not 1 <= len(option.get("value") or "") <= 150:
                yield "must be between 1 and 150 characters", f"{pointer}{where}/{number}/value"


_CHECKS: dict[Any, Callable[[JSON], Complaints]] = {
    "section": _section,
    "header": _header,
    "markdown": _markdown,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "input": _input,
    "image": _image,
    "table": _table,
    "data_table": _data_table,
    "data_visualization": _chart,
    "container": _container,
}
