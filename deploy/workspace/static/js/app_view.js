// The app's own page: Home, Messages and About.
import { fill, h } from "./dom.js";
import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { Conversation } from "./conversation.js";
import { drawBlocks } from "./blocks.js";
import { inView } from "./block_context.js";
import { store } from "./store.js";

const TABS = [
  ["home", "Home"],
  ["messages", "Messages"],
  ["about", "About"],
];

export class AppView {
  #off;

  constructor(channel, tab, onTab) {
    Object.assign(this, { channel, onTab });
    this.tabs = h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": store.bot.name },
      TABS.map(([id, label]) =>
        h(
          "button",
          {
            class: "tab",
            type: "button",
            role: "tab",
            "data-testid": `${id}-tab`,
            data: { tab: id },
            onclick: () => this.show(id),
          },
          label,
        ),
      ),
    );
    this.body = h("div", { class: "app-body" });
    this.node = h("div", { class: "app-view" }, this.body);
    this.tab = tab;
    this.#off = store.on("home", () => {
      if (this.tab === "home") this.#home();
    });
  }

  get list() {
    return this.conversation?.list;
  }

  get composer() {
    return this.conversation?.composer;
  }

  open() {
    return this.show(this.tab);
  }

  async show(tab) {
    this.tab = tab;
    this.onTab(tab);
    for (const one of this.tabs.children) one.setAttribute("aria-selected", String(one.dataset.tab === tab));
    this.conversation?.close();
    this.conversation = null;
    if (tab === "about") {
      fill(this.body, about());
      return;
    }
    act("open_home", { tab }, { quiet: true });
    if (tab === "home") {
      this.#home();
      return;
    }
    this.conversation = new Conversation(this.channel);
    fill(this.body, this.conversation.node);
    await this.conversation.open();
    this.conversation.composer.focus();
  }

  #home() {
    const { home } = store;
    const scroll = this.body.querySelector(".home")?.scrollTop || 0;
    if (!home) {
      fill(
        this.body,
        h(
          "div",
          { class: "home", "data-testid": "home" },
          h(
            "div",
            { class: "home-main home-empty" },
            avatar(store.bot.user_id, 64),
            h("h2", {}, "Nothing here yet"),
            h(
              "p",
              {},
              `${store.bot.name} fills this page when it is running. Its conversation is under Messages.`,
            ),
          ),
        ),
      );
      return;
    }
    const context = inView(home.id, "home");
    fill(
      this.body,
      h(
        "div",
        { class: "home", "data-testid": "home", data: { view: home.id } },
        h("div", { class: "home-main" }, drawBlocks(home.blocks || [], context)),
      ),
    );
    this.body.firstChild.scrollTop = scroll;
  }

  close() {
    this.#off();
    this.conversation?.close();
  }
}

function about() {
  const commands = store.commands;
  return h(
    "div",
    { class: "home" },
    h(
      "div",
      { class: "home-main about" },
      h(
        "div",
        { class: "about-head" },
        avatar(store.bot.user_id, 72),
        h(
          "div",
          {},
          h("h2", {}, store.bot.name),
          h(
            "p",
            {},
            "Answers questions from what the team has written down, shows its sources, and says what each answer cost.",
          ),
        ),
      ),
      commands.length
        ? h(
            "section",
            {},
            h("h3", {}, "Commands"),
            h(
              "dl",
              { class: "command-list" },
              commands.map((command) =>
                h(
                  "div",
                  { class: "command-row" },
                  h(
                    "dt",
                    {},
                    h("code", { class: "code" }, command.command),
                    command.usage_hint ? h("span", { class: "command-usage" }, command.usage_hint) : null,
                  ),
                  h("dd", {}, command.description),
                ),
              ),
            ),
          )
        : null,
      store.shortcuts.length
        ? h(
            "section",
            {},
            h("h3", {}, "Message shortcuts"),
            h(
              "ul",
              { class: "list" },
              store.shortcuts.map((shortcut) => h("li", {}, shortcut.name)),
            ),
          )
        : null,
    ),
  );
}
