// "Switchboard is searching…", with loading messages that take turns.
import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { store } from "./store.js";

const TURN_MS = 2600;

/** `status` is {status, loading}; a small one stands under a message, a large one at the end of a thread. */
export function statusLine(status, { small = false } = {}) {
  const text = h("span", { class: "status-text shimmer" });
  const node = h(
    "div",
    { class: `status${small ? " status-small" : ""}`, "data-testid": "status", role: "status" },
    avatar(store.bot.user_id, small ? 20 : 36),
    h(
      "span",
      { class: "status-main" },
      small ? null : h("span", { class: "status-name" }, store.bot.name),
      text,
    ),
  );
  const lines = status.loading?.length ? status.loading : [`${store.bot.name} ${status.status}`];
  let at = 0;
  const turn = () => {
    text.textContent = lines[at % lines.length];
    at += 1;
    if (lines.length > 1)
      setTimeout(() => {
        if (node.isConnected) turn();
      }, TURN_MS);
  };
  turn();
  return node;
}
