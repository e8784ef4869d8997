"""Finding interactive elements in blocks, and the state that they begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deploy.workspace.state import JSON

_CHILDREN = ("elements", "actions", "child_blocks", "blocks")
_SINGLE = ("accessory", "element")

_VALUE_TYPES = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", "initial_files"),
}
_MANY = frozenset(kind for kind, (key, _) in _VALUE_TYPES.items() if key.endswith("s"))


def elements_of(blocks: Sequence[JSON]) -> Iterator[tuple[JSON, JSON]]:
    """Every interactive element with the block that its `block_id` is taken from."""
    for block in blocks:
        for element in _below(block):
            yield block, element


def find_element(blocks: Sequence[JSON], block_id: str, action_id: str) -> JSON | None:
    """The element that somebody acted on; None where the blocks do not have it (any more)."""
    for block, element in elements_of(blocks):
        if block.get("block_id") == block_id and element.get("action_id") == action_id:
            return element
    return None


def with_ids(blocks: Sequence[JSON], new_id: Iterator[str]) -> list[JSON]:
    """Copies of the blocks in which every block and every interactive element has an id."""
    return [_identified(block, new_id, is_block=True) for block in blocks]


def initial_state(blocks: Sequence[JSON]) -> dict[str, JSON]:
    """`state.values` before the person changes anything: {block_id: {action_id: {type, value}}}."""
    values: dict[str, JSON] = {}
    for block, element in elements_of(blocks):
        keys = _VALUE_TYPES.get(element["type"])
        if keys:
            empty: object = [] if element["type"] in _MANY else None
            entry = {"type": element["type"], keys[0]: element.get(keys[1], empty)}
            values.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return values


def value_key(element_type: str) -> str:
    """Under which key the state keeps the value of such an element."""
    return _VALUE_TYPES[element_type][0]


def missing_inputs(blocks: Sequence[JSON], values: dict[str, JSON]) -> dict[str, str]:
    """The input blocks that must be filled in and are not, as `errors` of a submission."""
    errors = {}
    for block in blocks:
        if block.get("type") != "input" or block.get("optional"):
            continue
        element = block["element"]
        entry = values.get(block["block_id"], {}).get(element["action_id"], {})
        if element["type"] in _VALUE_TYPES and entry.get(value_key(element["type"])) in (None, "", []):
            errors[block["block_id"]] = "Please complete this required field."
    return errors


def _below(block: JSON) -> Iterator[JSON]:
    for key in _SINGLE:
        if isinstance(block.get(key), dict) and "action_id" in block[key]:
            yield block[key]
    for key in _CHILDREN:
        children = block.get(key)
        for child in children if isinstance(children, list) else []:
            if isinstance(child, dict):
                if "action_id" in child:
                    yield child
                yield from _below(child)


_INTERACTIVE = frozenset({*_VALUE_TYPES, "button", "overflow", "feedback_buttons", "icon_button", "workflow_button"})


def _identified(part: JSON, new_id: Iterator[str], *, is_block: bool) -> JSON:
    copy = dict(part)
    if is_block and not copy.get("block_id"):
        copy["block_id"] = next(new_id)
    if not is_block and copy.get("type") in _INTERACTIVE and not copy.get("action_id"):
        copy["action_id"] = next(new_id)
    for key in _SINGLE:
        if isinstance(copy.get(key), dict):
            copy[key] = _identified(copy[key], new_id, is_block=False)
    for key in _CHILDREN:
        if isinstance(copy.get(key), list):
            copy[key] = [
                _identified(each, new_id, is_block=False) if isinstance(each, dict) else each for each in copy[key]
            ]
    return copy
