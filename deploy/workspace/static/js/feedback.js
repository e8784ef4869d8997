// The quiet row beneath an answer: thumbs and icon buttons.
import { h } from "./dom.js";
import { icon, iconNames } from "./icons.js";
import { store } from "./store.js";
import { dispatch } from "./dispatch.js";

const given = new Map(); // what this person pressed, so that a redrawn message still shows it

const keyOf = (element, block, context) =>
  JSON.stringify([store.me.id, context.place, block.block_id, element.action_id]);

export function feedbackButtons(element, block, context) {
  const key = keyOf(element, block, context);
  const sides = [
    ["positive", element.positive_button, "thumbup"],
    ["negative", element.negative_button, "thumbdown"],
  ];
  const group = h("span", {
    class: "feedback",
    role: "group",
    "aria-label": "Feedback",
    data: { actionId: element.action_id, blockId: block.block_id },
  });
  const buttons = sides.map(([side, choice, glyph]) =>
    h(
      "button",
      {
        class: "icon-button feedback-button",
        type: "button",
        title: choice.text?.text,
        "aria-label": choice.accessibility_label || choice.text?.text,
        "aria-pressed": String(given.get(key) === side),
        data: { feedback: side, value: choice.value, actionId: element.action_id, blockId: block.block_id },
        onclick: async (click) => {
          const pressed = click.currentTarget;
          if (!(await dispatch(element, block, context, { value: choice.value, text: choice.text }, pressed)))
            return;
          given.set(key, side);
          for (const one of buttons) one.setAttribute("aria-pressed", String(one === pressed));
        },
      },
      icon(glyph, { size: 18 }),
    ),
  );
  group.append(...buttons);
  return group;
}

export function iconButton(element, block, context) {
  const people = element.visible_to_user_ids;
  if (people?.length && !people.includes(store.me.id)) return null;
  const label = element.accessibility_label || element.text?.text;
  return h(
    "button",
    {
      class: "icon-button",
      type: "button",
      title: element.text?.text,
      "aria-label": label,
      data: { actionId: element.action_id, blockId: block.block_id },
      onclick: (click) =>
        dispatch(element, block, context, { value: element.value, icon: element.icon }, click.currentTarget),
    },
    icon(iconNames.includes(element.icon) ? element.icon : "bolt", { size: 18 }),
  );
}
