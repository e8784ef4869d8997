// The suggested prompts of the app's conversation, as buttons.
import { fill, h } from "./dom.js";
import { act } from "./api.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

export class Prompts {
  node = h("div", { class: "prompts", "data-testid": "prompts" });
  #off;

  constructor(channel) {
    this.channel = channel;
    this.#off = store.on("prompts", (news) => {
      if (news === channel) this.paint();
    });
    this.paint();
  }

  close() {
    this.#off();
  }

  paint() {
    const given = store.prompts[this.channel];
    this.node.hidden = !given?.prompts?.length;
    if (this.node.hidden) return;
    fill(
      this.node,
      given.title ? h("div", { class: "prompts-title" }, given.title) : null,
      h(
        "div",
        { class: "prompts-row" },
        given.prompts.map((prompt) =>
          h(
            "button",
            {
              class: "prompt",
              type: "button",
              title: prompt.message,
              data: { prompt: prompt.title },
              onclick: () => act("post", { channel: this.channel, text: prompt.message }),
            },
            icon("sparkle", { size: 16 }),
            h("span", {}, prompt.title),
          ),
        ),
      ),
    );
  }
}
