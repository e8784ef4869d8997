// The left side: rail, channels, app, and who is acting.
import { fill, h } from "./dom.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { store } from "./store.js";

const folded = new Set();

export function becomes(userId) {
  const next = new URL(location.href);
  next.searchParams.set("as", userId);
  location.assign(next);
}

function personMenu(anchor, side) {
  const people = [...store.users.values()].filter((user) => !user.is_bot);
  menu(
    anchor,
    [
      { heading: "Act as" },
      ...people.map((user) => ({
        label: user.real_name,
        hint: user.is_admin ? "Workspace admin" : "Member",
        icon: avatar(user.id, 28),
        checked: user.id === store.me.id,
        testid: `act-as-${user.id}`,
        run: () => becomes(user.id),
      })),
    ],
    { side, label: "Act as" },
  );
}

function rail({ openApp, openHome }) {
  const initials = store.team.name
    .split(/\s+/)
    .map((word) => word[0])
    .join("")
    .slice(0, 2)
    .toUpperCase();
  const entry = (label, name, run, testid) =>
    h(
      "button",
      { class: "rail-item", type: "button", "data-testid": testid, data: { rail: name }, onclick: run },
      h("span", { class: "rail-icon" }, icon(name)),
      label,
    );
  return h(
    "nav",
    { class: "rail", "aria-label": "Workspace" },
    h("span", { class: "rail-team", title: store.team.name }, initials),
    entry("Home", "home", openHome, "rail-home"),
    entry("App", "sparkle", openApp, "rail-app"),
    entry("Find", "search", () => store.emit("switcher"), "rail-find"),
    h(
      "button",
      {
        class: "rail-me",
        type: "button",
        title: `${store.me.real_name}: act as someone else`,
        "aria-label": "Act as someone else",
        onclick: (click) => personMenu(click.currentTarget),
      },
      avatar(store.me.id, 36),
      h("span", { class: "presence" }),
    ),
  );
}

export class Sidebar {
  constructor({ open, openApp }) {
    this.open = open;
    this.openApp = openApp;
    this.lists = h("div", { class: "sidebar-lists" });
    this.net = h(
      "div",
      { class: "sidebar-net", role: "status", hidden: true },
      icon("wifi", { size: 16 }),
      "Reconnecting…",
    );
    const panel = h(
      "div",
      { class: "sidebar" },
      h("header", { class: "sidebar-head" }, h("span", { class: "sidebar-team" }, store.team.name)),
      this.lists,
      this.net,
      h(
        "button",
        {
          class: "person-switcher",
          type: "button",
          "data-testid": "person-switcher",
          "aria-haspopup": "menu",
          onclick: (click) => personMenu(click.currentTarget),
        },
        avatar(store.me.id, 28),
        h(
          "span",
          { class: "person-text" },
          h("span", { class: "person-name" }, store.me.real_name),
          h("span", { class: "person-note" }, "You are acting as"),
        ),
        icon("down", { size: 16 }),
      ),
    );
    this.node = h(
      "div",
      { class: "left" },
      rail({
        openApp,
        openHome: () =>
          open(
            store.here.channel && !store.isBotDm(store.here.channel) ? store.here.channel : firstChannel(),
          ),
      }),
      panel,
    );
    for (const news of ["unread", "here", "channels"]) store.on(news, () => this.paint());
    this.paint();
  }

  online(on) {
    this.net.hidden = on;
  }

  paint() {
    const all = [...store.channels.values()];
    const channels = all.filter((channel) => !channel.is_im).sort((a, b) => a.name.localeCompare(b.name));
    const mine = channels.filter((channel) => channel.is_member);
    const others = channels.filter((channel) => !channel.is_member);
    const dms = all.filter((channel) => channel.is_im && !store.isBotDm(channel.id));
    const bot = store.botDm();
    fill(
      this.lists,
      this.#section(
        "Channels",
        mine.map((channel) =>
          this.#item(channel.id, icon(channel.is_private ? "lock" : "hash", { size: 16 }), channel.name),
        ),
      ),
      others.length
        ? this.#section(
            "Other channels",
            others.map((channel) => this.#item(channel.id, icon("hash", { size: 16 }), channel.name)),
          )
        : null,
      dms.length
        ? this.#section(
            "Direct messages",
            dms.map((channel) => this.#item(channel.id, avatar(channel.user, 20), store.title(channel.id))),
          )
        : null,
      bot
        ? this.#section("Apps", [
            this.#item(bot, avatar(store.bot.user_id, 20), store.bot.name, this.openApp),
          ])
        : null,
    );
    for (const one of this.node.querySelectorAll("[data-rail]"))
      one.classList.toggle(
        "is-here",
        one.dataset.rail === (store.isBotDm(store.here.channel) ? "sparkle" : "home"),
      );
  }

  #section(name, items) {
    const shut = folded.has(name);
    return h(
      "section",
      { class: "sidebar-section" },
      h(
        "button",
        {
          class: `sidebar-heading${shut ? " is-shut" : ""}`,
          type: "button",
          "aria-expanded": String(!shut),
          onclick: () => {
            if (!folded.delete(name)) folded.add(name);
            this.paint();
          },
        },
        icon("down", { size: 14 }),
        name,
      ),
      h(
        "div",
        { class: "sidebar-items" },
        shut ? items.filter((item) => item.matches(".is-unread, .is-here")) : items,
      ),
    );
  }

  #item(id, face, label, open = () => this.open(id)) {
    const unread = store.unread[id] || 0;
    const loud = store.mentions[id] || (store.channels.get(id).is_im ? unread : 0);
    const here = store.here.channel === id;
    return h(
      "button",
      {
        class: `sidebar-item${unread ? " is-unread" : ""}${here ? " is-here" : ""}`,
        type: "button",
        "data-testid": "sidebar-item",
        data: { channel: id },
        "aria-current": here ? "page" : null,
        onclick: open,
      },
      h("span", { class: "sidebar-face" }, face),
      h("span", { class: "sidebar-label" }, label),
      loud ? h("span", { class: "badge", "aria-label": `${loud} unread` }, loud > 99 ? "99+" : loud) : null,
    );
  }
}

export function firstChannel() {
  const channels = [...store.channels.values()].filter((channel) => !channel.is_im && channel.is_member);
  return (channels.find((channel) => channel.name === "help") || channels[0])?.id || store.botDm();
}
