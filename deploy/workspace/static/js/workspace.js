// The whole page: what is open where, the address that names it, and the keyboard.
import { act, boot, session } from "./api.js";
import { AgentPane } from "./agent_pane.js";
import { AppView } from "./app_view.js";
import { closePopover } from "./popover.js";
import { Conversation } from "./conversation.js";
import { dialogIsOpen, dismissTop } from "./dialog.js";
import { fill, h } from "./dom.js";
import { firstChannel, Sidebar } from "./sidebar.js";
import { header } from "./header.js";
import { icon } from "./icons.js";
import { profile } from "./profile.js";
import { store } from "./store.js";
import { switcher } from "./switcher.js";
import { ThreadPane } from "./thread_pane.js";

/** [channel, thread or tab] of the address: "#C…/ts", or a permalink "/archives/C…/p…?thread_ts=…". */
function addressed() {
  const permalink = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(location.pathname);
  if (!permalink) return location.hash.slice(1).split("/");
  return [
    permalink[1],
    new URLSearchParams(location.search).get("thread_ts") || `${permalink[2]}.${permalink[3]}`,
  ];
}

export class Workspace {
  constructor(app) {
    this.sidebar = new Sidebar({ open: (id) => this.go(id), openApp: () => this.go(store.botDm()) });
    this.main = h("main", { class: "main", id: "main" });
    this.side = h("div", { class: "side" });
    this.bar = h(
      "div",
      { class: "topbar" },
      h(
        "button",
        { class: "topbar-search", type: "button", onclick: () => store.emit("switcher") },
        icon("search", { size: 16 }),
        "Find a channel or the app",
        h("kbd", {}, "Ctrl K"),
      ),
    );
    fill(app, this.bar, this.sidebar.node, h("div", { class: "stage" }, this.main, this.side));
    store.on("go", ({ channel }) => this.go(channel));
    store.on("thread", ({ channel, thread }) => this.openThread(channel, thread));
    store.on("person", (id) => profile(id, (tab) => this.go(store.botDm(), tab)));
    store.on("switcher", () => {
      closePopover();
      if (!dialogIsOpen()) switcher((id) => this.go(id));
    });
    store.on("left", (id) => this.#left(id));
    store.on("channels", () => this.#drawHeader());
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.#address()) this.open();
    });
    addEventListener("keydown", (press) => this.#key(press));
    addEventListener("focus", () => this.#read(store.here.channel));
  }

  #address() {
    const { channel, tab } = store.here;
    const rest =
      this.pane instanceof ThreadPane && this.pane.channel === channel
        ? `/${this.pane.thread}`
        : store.isBotDm(channel) && tab !== "messages"
          ? `/${tab}`
          : "";
    return channel + rest;
  }

  #note() {
    history.replaceState(null, "", `/${location.search}#${this.#address()}`);
  }

  /** Opens what the address names, or else the first channel. */
  async open() {
    const [wanted, rest] = addressed();
    const known = store.channels.has(wanted);
    const tab = ["home", "about"].includes(rest) ? rest : "messages";
    await this.go(known ? wanted : firstChannel(), tab);
    if (known && rest && tab === "messages") await this.openThread(wanted, rest);
  }

  async go(id, tab = "messages") {
    if (!store.channels.has(id)) return;
    if (store.here.channel === id && this.view && (!store.isBotDm(id) || this.view.tab === tab)) {
      this.view.composer?.focus();
      return;
    }
    if (this.pane && !(this.pane instanceof AgentPane && !store.isBotDm(id))) this.closePane();
    this.view?.close();
    store.here = { channel: id, tab };
    this.view = store.isBotDm(id)
      ? new AppView(id, tab, (now) => {
          store.here.tab = now;
          this.#note();
        })
      : new Conversation(id);
    this.#drawHeader();
    fill(this.main, this.head, this.view.node);
    this.#note();
    store.emit("here");
    document.title = `${store.title(id)} – ${store.team.name}`;
    await this.view.open();
    this.#read(id);
    this.view.composer?.focus();
    if (this.pane instanceof AgentPane) this.#tellContext();
  }

  #drawHeader() {
    const fresh = header(store.here.channel, { tabs: this.view.tabs, openAgent: () => this.openAgent() });
    this.head?.replaceWith(fresh);
    this.head = fresh;
  }

  #read(id) {
    if (!id || (!document.hasFocus() && store.unread[id] === undefined)) return;
    delete store.unread[id];
    delete store.mentions[id];
    store.emit("unread");
  }

  #left(id) {
    const channel = store.channels.get(id);
    if (channel.is_private) store.channels.delete(id);
    else channel.is_member = false;
    this.view.close();
    this.view = null;
    this.go(channel.is_private ? firstChannel() : id);
    store.emit("channels");
  }

  /** Someone wrote: count it where the person is not looking. */
  hear(channel, message) {
    if (message.user === store.me.id) return;
    if (message.thread_ts && message.thread_ts !== message.ts) {
      this.showAgentThread(channel, message.thread_ts);
      if (!store.isBotDm(channel) || store.here.channel === channel || this.pane?.channel === channel) return;
    }
    if (store.here.channel === channel && store.here.tab === "messages") return;
    store.unread[channel] = (store.unread[channel] || 0) + 1;
    if (message.text?.includes(`<@${store.me.id}>`))
      store.mentions[channel] = (store.mentions[channel] || 0) + 1;
    store.emit("unread");
  }

  /** In the app's own conversation an answer opens beside its question. */
  showAgentThread(channel, thread) {
    const inAgent = this.pane instanceof AgentPane && this.pane.channel === channel;
    const inView = store.here.channel === channel && store.isBotDm(channel) && !this.pane;
    const list = inAgent ? this.pane.conversation.list : inView ? this.view.list : null;
    if (list?.messages.at(-1)?.ts === thread) this.openThread(channel, thread, { focus: false });
  }

  async openThread(channel, thread, { focus = true } = {}) {
    if (this.pane instanceof ThreadPane && this.pane.channel === channel && this.pane.thread === thread) {
      this.pane.composer.focus();
      return;
    }
    const fromAgent = this.pane instanceof AgentPane || this.pane?.fromAgent;
    const pane = new ThreadPane(channel, thread, {
      onClose: () => this.closePane(),
      onBack: fromAgent ? () => this.openAgent() : null,
    });
    pane.fromAgent = fromAgent;
    await this.#openPane(pane, { focus });
  }

  async openAgent() {
    await this.#openPane(new AgentPane({ onClose: () => this.closePane() }));
    act("open_home", { tab: "messages" }, { quiet: true });
    this.#tellContext();
  }

  #tellContext() {
    act("context", { channel: store.here.channel }, { quiet: true });
  }

  async #openPane(pane, options) {
    this.pane?.close();
    this.pane = pane;
    fill(this.side, pane.node);
    this.side.classList.add("is-open");
    this.#note();
    await pane.open(options);
  }

  closePane() {
    this.pane?.close();
    this.pane = null;
    fill(this.side);
    this.side.classList.remove("is-open");
    this.#note();
    this.view?.composer?.focus();
  }

  /** After a lost connection: read everything anew. */
  async catchUp() {
    const answer = await boot(session.as);
    if (answer.ok === false || !answer.me) return;
    store.load(answer);
    store.emit("caughtUp");
    store.emit("channels");
    store.emit("unread");
  }

  #key(press) {
    if ((press.ctrlKey || press.metaKey) && press.key.toLowerCase() === "k") {
      press.preventDefault();
      store.emit("switcher");
    } else if (press.key === "Escape" && !press.defaultPrevented) {
      if (closePopover({ refocus: true }) || dismissTop()) return;
      if (this.pane) this.closePane();
    }
  }
}
