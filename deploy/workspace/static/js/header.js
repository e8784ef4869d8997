// The line over a conversation: its name, topic and people.
import { h } from "./dom.js";
import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { confirmed } from "./confirm.js";
import { dialog } from "./dialog.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { plural } from "./time.js";
import { select } from "./select.js";
import { store } from "./store.js";

function members(channel) {
  let close;
  const person = (id) => {
    const user = store.users.get(id);
    return h(
      "button",
      {
        class: "member",
        type: "button",
        onclick: () => {
          close();
          store.emit("person", id);
        },
      },
      avatar(id, 36),
      h(
        "span",
        { class: "member-text" },
        h(
          "span",
          { class: "member-name" },
          user?.real_name || id,
          user?.is_bot ? h("span", { class: "app-badge" }, "App") : null,
        ),
        h("span", { class: "member-note" }, `@${user?.name || id}`),
      ),
    );
  };
  const outside = [...store.users.values()].filter((user) => !channel.members.includes(user.id));
  const add =
    outside.length && channel.is_member
      ? select({
          placeholder: "Add someone to this channel",
          load: () => ({
            options: outside.map((user) => ({
              value: user.id,
              text: user.real_name || user.name,
              icon: avatar(user.id, 20),
            })),
          }),
          onPick: async ([option]) => {
            await act("invite", { channel: channel.id, user: option.value });
            close();
          },
        }).node
      : null;
  ({ close } = dialog({
    title: `${plural(channel.members.length, "member")} of ${store.title(channel.id)}`,
    body: [add, h("div", { class: "members" }, channel.members.map(person))],
    small: true,
    testid: "members",
  }));
}

async function leave(channel) {
  const sure =
    !channel.is_private ||
    (await confirmed({
      title: { text: `Leave ${channel.name}?` },
      text: {
        type: "plain_text",
        text: "This channel is private: someone has to add you before you can see it again.",
      },
      confirm: { text: "Leave" },
      style: "danger",
    }));
  if (!sure) return;
  const answer = await act("leave", { channel: channel.id });
  if (answer.ok !== false) store.emit("left", channel.id);
}

function channelMenu(anchor, channel) {
  menu(anchor, [
    { label: "Members", icon: "people", run: () => members(channel) },
    {
      label: "Copy link",
      icon: "link",
      run: () => navigator.clipboard?.writeText(`${location.origin}/#${channel.id}`),
    },
    channel.is_member ? "-" : null,
    channel.is_member
      ? { label: "Leave channel", icon: "logout", danger: true, run: () => leave(channel) }
      : null,
  ]);
}

function agentButton(openAgent) {
  return h(
    "button",
    {
      class: "head-button",
      type: "button",
      title: `Ask ${store.bot.name} beside this channel`,
      "data-testid": "agent-button",
      onclick: openAgent,
    },
    avatar(store.bot.user_id, 20),
    h("span", {}, "Ask"),
  );
}

export function header(id, { tabs, openAgent }) {
  const channel = store.channels.get(id);
  if (store.isBotDm(id)) {
    return h(
      "header",
      { class: "head head-app", "data-testid": "channel-header" },
      h(
        "div",
        { class: "head-line" },
        avatar(store.bot.user_id, 28),
        h("h1", { class: "head-name" }, store.bot.name),
        h("span", { class: "app-badge" }, "App"),
      ),
      tabs,
    );
  }
  if (channel.is_im)
    return h(
      "header",
      { class: "head", "data-testid": "channel-header" },
      h(
        "div",
        { class: "head-line" },
        avatar(channel.user, 28),
        h("h1", { class: "head-name" }, store.title(id)),
      ),
    );
  const title = h(
    "button",
    {
      class: "head-title",
      type: "button",
      "aria-haspopup": "menu",
      onclick: () => channelMenu(title, channel),
    },
    icon(channel.is_private ? "lock" : "hash", { size: 18 }),
    h("h1", { class: "head-name" }, channel.name),
    icon("down", { size: 16 }),
  );
  return h(
    "header",
    { class: "head", "data-testid": "channel-header" },
    h(
      "div",
      { class: "head-line" },
      title,
      channel.topic ? h("span", { class: "head-topic", title: channel.topic }, channel.topic) : null,
      h("span", { class: "head-space" }),
      h(
        "button",
        {
          class: "head-button",
          type: "button",
          "data-testid": "members-button",
          title: "See who is in this channel",
          onclick: () => members(channel),
        },
        h(
          "span",
          { class: "head-faces" },
          channel.members.slice(0, 3).map((one) => avatar(one, 20)),
        ),
        h("span", {}, channel.members.length),
      ),
      agentButton(openAgent),
    ),
  );
}
