// Interactive Block Kit elements that are pressed or chosen. Inputs that are typed in live in inputs.js.
import { h, safeUrl, uid } from "./dom.js";
import { icon } from "./icons.js";
import { plain, textObject } from "./mrkdwn.js";
import { menu } from "./menu.js";
import { dispatch } from "./dispatch.js";
import { typedInput } from "./inputs.js";
import { fileInput } from "./file_input.js";
import { selectElement } from "./select_elements.js";
import { feedbackButtons, iconButton } from "./feedback.js";
import { imageElement } from "./image.js";

const ids = (element, block) => ({ actionId: element.action_id, blockId: block.block_id });

function button(element, block, context) {
  const style = element.style ? ` button-${element.style} button-solid` : "";
  const props = {
    class: `button${style}`,
    data: ids(element, block),
    "aria-label": element.accessibility_label,
  };
  const href = element.url && safeUrl(element.url);
  const press = (click) => dispatch(element, block, context, { value: element.value }, click.currentTarget);
  if (href)
    return h(
      "a",
      { ...props, href, target: "_blank", rel: "noopener noreferrer", onclick: press },
      plain(element.text.text),
    );
  return h("button", { ...props, type: "button", onclick: press }, plain(element.text.text));
}

function overflow(element, block, context) {
  return h(
    "button",
    {
      class: "button overflow",
      type: "button",
      "aria-label": "More options",
      "aria-haspopup": "menu",
      data: ids(element, block),
      onclick: (click) =>
        menu(
          click.currentTarget,
          element.options.map((option) => ({
            label: plain(option.text.text),
            hint: option.description?.text,
            run: () => {
              if (option.url && safeUrl(option.url)) window.open(safeUrl(option.url), "_blank", "noopener");
              dispatch(element, block, context, { selected_option: option });
            },
          })),
          { side: "end" },
        ),
    },
    icon("more", { size: 18 }),
  );
}

function choices(element, block, context, kind) {
  const name = uid("choice");
  const single = kind === "radio";
  const held = context.held(block.block_id, element.action_id);
  const initial = single
    ? [held?.selected_option || element.initial_option].filter(Boolean)
    : held?.selected_options || element.initial_options || [];
  const on = new Set(initial.map((option) => option.value));
  const fields = () => {
    const chosen = element.options.filter((option) => on.has(option.value));
    return single ? { selected_option: chosen[0] || null } : { selected_options: chosen };
  };
  const remember = () => context.hold(block.block_id, element.action_id, { type: element.type, ...fields() });
  remember();
  const change = (option) => async (event) => {
    if (single) on.clear();
    if (event.target.checked) on.add(option.value);
    else on.delete(option.value);
    remember();
    if (context.acts(block)) await dispatch(element, block, context, fields());
  };
  return h(
    "div",
    { class: "choices", role: single ? "radiogroup" : "group", data: ids(element, block) },
    element.options.map((option) =>
      h(
        "label",
        { class: "choice" },
        h("input", {
          type: kind,
          name,
          value: option.value,
          checked: on.has(option.value),
          class: `choice-${kind}`,
          onchange: change(option),
        }),
        h(
          "span",
          { class: "choice-text" },
          textObject(option.text),
          option.description ? h("span", { class: "choice-hint" }, textObject(option.description)) : null,
        ),
      ),
    ),
  );
}

const DRAW = {
  button,
  overflow,
  workflow_button: button,
  radio_buttons: (element, block, context) => choices(element, block, context, "radio"),
  checkboxes: (element, block, context) => choices(element, block, context, "checkbox"),
  feedback_buttons: feedbackButtons,
  icon_button: iconButton,
  file_input: fileInput,
  image: (element) => imageElement(element),
};

/** Any element as a node; a kind that the page does not know says so quietly. */
export function drawElement(element, block, context) {
  const draw = DRAW[element.type] || selectElement(element.type) || typedInput(element.type);
  if (draw) return draw(element, block, context);
  return h("span", { class: "unknown-block" }, `${element.type} is not shown here`);
}
