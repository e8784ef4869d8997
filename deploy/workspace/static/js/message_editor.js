// The box in which an own message is changed.
import { h } from "./dom.js";
import { act } from "./api.js";
import { store } from "./store.js";
import { unescape } from "./mrkdwn.js";

/** The text as the person would type it: names instead of ids. */
export function typedForm(text) {
  return unescape(
    text
      .replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (whole, id) =>
        store.users.has(id) ? `@${store.users.get(id).name}` : whole,
      )
      .replace(
        /<#([A-Z0-9]+)(?:\|([^>]*))?>/g,
        (whole, id, label) => `#${store.channels.get(id)?.name || label || id}`,
      )
      .replace(/<((?:https?|mailto):[^>|]*)(?:\|[^>]*)?>/g, "$1"),
  );
}

export function editor(channel, message, done) {
  const area = h("textarea", {
    class: "input editor-text",
    "aria-label": "Edit message",
    rows: 2,
    value: typedForm(message.text),
  });
  const save = async () => {
    const text = area.value.trim();
    if (!text) return;
    const answer = await act("edit", { channel, ts: message.ts, text });
    if (answer.ok !== false) done();
  };
  area.addEventListener("keydown", (press) => {
    if (press.key === "Escape") {
      press.stopPropagation();
      done();
    }
    if (press.key === "Enter" && !press.shiftKey) {
      press.preventDefault();
      save();
    }
  });
  return h(
    "div",
    { class: "editor" },
    area,
    h(
      "div",
      { class: "editor-foot" },
      h("button", { class: "button", type: "button", onclick: done }, "Cancel"),
      h("button", { class: "button button-primary button-solid", type: "button", onclick: save }, "Save"),
    ),
  );
}
