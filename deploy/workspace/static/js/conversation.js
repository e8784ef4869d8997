// A channel's or direct message's middle: its beginning, its messages and the composer.
import { fill, h } from "./dom.js";
import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { Composer, joinBar } from "./composer.js";
import { icon } from "./icons.js";
import { MessageList } from "./message_list.js";
import { Prompts } from "./prompts.js";
import { store } from "./store.js";

function beginning(channel) {
  if (store.isBotDm(channel.id)) {
    return h(
      "div",
      { class: "intro" },
      avatar(store.bot.user_id, 64),
      h("h2", { class: "intro-title" }, store.bot.name, h("span", { class: "app-badge" }, "App")),
      h(
        "p",
        { class: "intro-text" },
        "Ask anything about what your team has written down. Each question starts a thread of its own, with sources under every answer.",
      ),
    );
  }
  return h(
    "div",
    { class: "intro" },
    h("span", { class: "intro-mark" }, icon(channel.is_private ? "lock" : "hash", { size: 32 })),
    h("h2", { class: "intro-title" }, channel.name),
    h(
      "p",
      { class: "intro-text" },
      channel.is_private
        ? "Only the people in this private channel can see it. "
        : "Everyone in the workspace can see this channel. ",
      channel.topic,
    ),
  );
}

export class Conversation {
  /** `compact` leaves out the beginning, for narrow panes. */
  constructor(id, { compact = false } = {}) {
    this.channel = store.channels.get(id);
    const title = store.title(id);
    const bot = store.isBotDm(id);
    this.list = new MessageList(id, {
      intro: compact && !bot ? null : beginning(this.channel),
      label: `Messages in ${title}`,
    });
    this.prompts = bot ? new Prompts(id) : null;
    this.list.onCount = (count) => this.prompts?.node.classList.toggle("prompts-slim", count > 0);
    this.foot = h("div", { class: "conversation-foot" });
    this.node = h("div", { class: "conversation" }, this.list.node, this.foot);
    this.#drawFoot(title);
    this.#off = store.on("channels", () => this.#membership(title));
  }

  #off;

  /** Somebody joined or left: the composer comes or goes. */
  #membership(title) {
    const now = store.channels.get(this.channel.id);
    if (!now || now.is_member === this.channel.is_member) return;
    this.channel = now;
    this.#drawFoot(title);
  }

  #drawFoot(title) {
    this.composer?.close();
    this.composer = null;
    const { channel } = this;
    if (!channel.is_im && !channel.is_member) {
      fill(
        this.foot,
        joinBar(channel, async () => {
          await act("join", { channel: channel.id }); // the live event brings the composer
        }),
      );
      return;
    }
    this.composer = new Composer({
      channel: channel.id,
      placeholder: `Message ${title}`,
      onEditLast: () => this.list.lastOwn()?.edit(),
      onSent: () => this.list.toBottom(),
    });
    fill(this.foot, this.prompts?.node, this.composer.node);
  }

  open() {
    const unread = store.unread[this.channel.id] || 0;
    return this.list.load({ unread });
  }

  close() {
    this.#off();
    this.list.close();
    this.composer?.close();
    this.prompts?.close();
  }
}
