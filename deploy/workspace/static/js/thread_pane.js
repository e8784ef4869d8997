// The pane at the right: one thread.
import { h } from "./dom.js";
import { Composer } from "./composer.js";
import { icon } from "./icons.js";
import { MessageList } from "./message_list.js";
import { store, threadKey } from "./store.js";

export class ThreadPane {
  #off;

  constructor(channel, thread, { onClose, onBack }) {
    Object.assign(this, { channel, thread, onClose });
    this.name = h("span", { class: "pane-name" }, store.titles.get(threadKey(channel, thread)) || "Thread");
    this.list = new MessageList(channel, { thread, label: "Thread" });
    this.composer = new Composer({
      channel,
      thread,
      placeholder: "Reply…",
      onEditLast: () => this.list.lastOwn()?.edit(),
      onSent: () => this.list.toBottom(),
    });
    this.node = h(
      "aside",
      { class: "pane", "aria-label": "Thread", "data-testid": "thread-pane", data: { channel, thread } },
      h(
        "header",
        { class: "pane-head" },
        onBack
          ? h(
              "button",
              { class: "icon-button", type: "button", "aria-label": "Back", onclick: onBack },
              icon("left"),
            )
          : null,
        h(
          "div",
          { class: "pane-title" },
          this.name,
          h("span", { class: "pane-where" }, store.title(channel)),
        ),
        h(
          "button",
          {
            class: "icon-button",
            type: "button",
            "aria-label": "Close thread",
            "data-testid": "thread-close",
            onclick: onClose,
          },
          icon("close"),
        ),
      ),
      this.list.node,
      h("div", { class: "conversation-foot" }, this.composer.node),
    );
    this.#off = [
      store.on("threadTitle", (news) => {
        if (news.channel === channel && news.thread === thread)
          this.name.textContent = news.title || "Thread";
      }),
      store.on("remove", (news) => {
        if (news.channel === channel && news.ts === thread) onClose();
      }),
    ];
  }

  async open({ focus = true } = {}) {
    await this.list.load();
    if (focus) this.composer.focus();
  }

  close() {
    for (const off of this.#off) off();
    this.list.close();
    this.composer.close();
  }
}
