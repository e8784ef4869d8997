// The pane at the right: the conversation with the app beside a channel.
import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { Conversation } from "./conversation.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

export class AgentPane {
  constructor({ onClose }) {
    this.channel = store.botDm();
    this.onClose = onClose;
    this.conversation = new Conversation(this.channel, { compact: true });
    this.node = h(
      "aside",
      {
        class: "pane",
        "aria-label": store.bot.name,
        "data-testid": "agent-pane",
        data: { channel: this.channel },
      },
      h(
        "header",
        { class: "pane-head" },
        avatar(store.bot.user_id, 24),
        h("div", { class: "pane-title" }, h("span", { class: "pane-name" }, store.bot.name)),
        h(
          "button",
          { class: "icon-button", type: "button", "aria-label": "Close", onclick: onClose },
          icon("close"),
        ),
      ),
      this.conversation.node,
    );
  }

  async open() {
    await this.conversation.open();
    this.conversation.composer.focus();
  }

  close() {
    this.conversation.close();
  }
}
