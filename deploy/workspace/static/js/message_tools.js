// The toolbar that appears over a message.
import { h } from "./dom.js";
import { act } from "./api.js";
import { announce } from "./dom.js";
import { confirmed } from "./confirm.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { pickEmoji } from "./emoji_picker.js";
import { store } from "./store.js";
import { toast } from "./toast.js";
import { typedForm } from "./message_editor.js";
import { toggleReaction } from "./reactions.js";

const QUICK = ["+1", "eyes", "white_check_mark"];

function tool(label, face, run, testid) {
  return h(
    "button",
    { class: "tool", type: "button", title: label, "aria-label": label, "data-testid": testid, onclick: run },
    face,
  );
}

async function copy(text, said) {
  await navigator.clipboard?.writeText(text);
  toast(said);
  announce(said);
}

async function remove(row) {
  const sure = await confirmed({
    title: { text: "Delete message" },
    text: { type: "plain_text", text: "This cannot be undone." },
    confirm: { text: "Delete" },
    style: "danger",
  });
  if (sure) act("delete", { channel: row.channel, ts: row.message.ts });
}

function moreItems(row) {
  const { message, channel } = row;
  const mine = message.user === store.me.id;
  const root = message.thread_ts || message.ts;
  return [
    ...store.shortcuts
      .filter((shortcut) => (shortcut.type || "message") === "message")
      .map((shortcut) => ({
        label: shortcut.name,
        hint: store.bot.name,
        icon: "bolt",
        testid: `shortcut-${shortcut.callback_id}`,
        run: () => act("shortcut", { callback_id: shortcut.callback_id, channel, ts: message.ts }),
      })),
    store.shortcuts.length ? "-" : null,
    { label: "Copy text", icon: "copy", run: () => copy(typedForm(message.text), "Copied the text") },
    {
      label: "Copy link",
      icon: "link",
      run: () => copy(`${location.origin}/#${channel}/${root}`, "Copied the link"),
    },
    mine ? "-" : null,
    mine ? { label: "Edit message", icon: "edit", testid: "edit", run: () => row.edit() } : null,
    mine
      ? { label: "Delete message…", icon: "trash", danger: true, testid: "delete", run: () => remove(row) }
      : null,
  ];
}

export function messageTools(row) {
  const { message, channel, thread } = row;
  return h(
    "div",
    { class: "message-tools", role: "toolbar", "aria-label": "Message actions" },
    QUICK.map((name) =>
      tool(
        `React with :${name}:`,
        emoji(name),
        () => toggleReaction(channel, message, name),
        `react-${name}`,
      ),
    ),
    tool(
      "Find another reaction",
      icon("smile"),
      (click) => pickEmoji(click.currentTarget, (name) => toggleReaction(channel, message, name)),
      "react",
    ),
    thread
      ? null
      : tool(
          "Reply in thread",
          icon("reply"),
          () => store.emit("thread", { channel, thread: message.thread_ts || message.ts, focus: true }),
          "reply",
        ),
    tool(
      "More actions",
      icon("more"),
      (click) => menu(click.currentTarget, moreItems(row), { side: "end", label: "Message actions" }),
      "more",
    ),
  );
}
