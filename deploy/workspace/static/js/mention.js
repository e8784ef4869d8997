// Names inside texts: people, channels, whole groups and dates.
import { h } from "./dom.js";
import { store } from "./store.js";
import { icon } from "./icons.js";
import { dayAndTime } from "./time.js";

const GROUPS = { here: "@here", channel: "@channel", everyone: "@everyone" };

export function personMention(id, label) {
  const user = store.users.get(id);
  const mine = id === store.me?.id;
  return h(
    "button",
    {
      class: `mention${mine ? " mention-me" : ""}`,
      type: "button",
      data: { user: id },
      onclick: () => store.emit("person", id),
    },
    `@${user ? user.real_name || user.name : label || id}`,
  );
}

export function channelMention(id, label) {
  const channel = store.channels.get(id);
  const name = channel?.name || label;
  if (!channel && !label)
    return h("span", { class: "mention mention-quiet" }, icon("lock", { size: 13 }), "private channel");
  return h(
    "button",
    {
      class: "mention",
      type: "button",
      data: { channel: id },
      onclick: () => store.emit("go", { channel: id }),
    },
    channel?.is_private ? icon("lock", { size: 13 }) : "#",
    name,
  );
}

export function groupMention(name) {
  return h("span", { class: "mention mention-me" }, GROUPS[name] || `@${name}`);
}

function date(target, label) {
  const [, seconds] = target.split("^");
  return h(
    "time",
    { datetime: new Date(seconds * 1000).toISOString(), title: label || "" },
    dayAndTime(Number(seconds)),
  );
}

/** The node for what stands inside <…>, or null if it is a link or plain text. */
export function mentionOf(target, label) {
  if (target.startsWith("@")) return personMention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return groupMention(target.slice(1).split("^")[0]);
  return null;
}
