// The reactions under a message.
import { h } from "./dom.js";
import { act } from "./api.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { pickEmoji } from "./emoji_picker.js";
import { store } from "./store.js";

const mine = (message, name) =>
  Boolean(message.reactions?.find((reaction) => reaction.name === name)?.users.includes(store.me.id));

export function toggleReaction(channel, message, name) {
  return act(mine(message, name) ? "unreact" : "react", { channel, ts: message.ts, name });
}

function said(reaction) {
  const names = reaction.users.map((id) =>
    id === store.me.id ? "You" : store.users.get(id)?.real_name || id,
  );
  return `${names.join(", ").replace(/, ([^,]*)$/, " and $1")} reacted with :${reaction.name}:`;
}

export function reactions(channel, message) {
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) =>
      h(
        "button",
        {
          class: "reaction",
          type: "button",
          title: said(reaction),
          "aria-label": said(reaction),
          "aria-pressed": String(mine(message, reaction.name)),
          data: { reaction: reaction.name },
          onclick: () => toggleReaction(channel, message, reaction.name),
        },
        emoji(reaction.name),
        h("span", { class: "reaction-count" }, reaction.count),
      ),
    ),
    h(
      "button",
      {
        class: "reaction reaction-add",
        type: "button",
        "aria-label": "Add a reaction",
        title: "Add a reaction",
        onclick: (click) => pickEmoji(click.currentTarget, (name) => toggleReaction(channel, message, name)),
      },
      icon("smile", { size: 16 }),
    ),
  );
}
