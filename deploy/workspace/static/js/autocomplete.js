// Suggestions while a person types @someone, #channel or /command.
import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";
import { closePopover, popover } from "./popover.js";
import { store } from "./store.js";
import { walk } from "./select.js";
import { emoji, shownEmoji } from "./emoji.js";

const MOST = 8;

function rank(query, ...texts) {
  const wanted = query.toLowerCase();
  if (texts.some((text) => text.toLowerCase().startsWith(wanted))) return 0;
  if (
    texts.some((text) =>
      text
        .toLowerCase()
        .split(/[\s_-]/)
        .some((word) => word.startsWith(wanted)),
    )
  )
    return 1;
  return texts.some((text) => text.toLowerCase().includes(wanted)) ? 2 : 9;
}

function ranked(list, query, textsOf) {
  return list
    .map((item) => [rank(query, ...textsOf(item)), item])
    .filter(([order]) => order < 9)
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item)
    .slice(0, MOST);
}

const KINDS = {
  "@": (query) =>
    ranked([...store.users.values()], query, (user) => [user.name, user.real_name || ""]).map((user) => ({
      insert: `@${user.name}`,
      face: avatar(user.id, 24),
      name: user.real_name || user.name,
      hint: `@${user.name}`,
      badge: user.is_bot ? "App" : user.id === store.me.id ? "you" : "",
    })),
  "#": (query) =>
    ranked(
      [...store.channels.values()].filter((channel) => !channel.is_im),
      query,
      (channel) => [channel.name],
    ).map((channel) => ({
      insert: `#${channel.name}`,
      face: icon(channel.is_private ? "lock" : "hash", { size: 18 }),
      name: channel.name,
      hint: channel.topic || "",
    })),
  "/": (query) =>
    ranked(store.commands, query, (command) => [command.command.slice(1)]).map((command) => ({
      insert: command.command,
      face: avatar(store.bot.user_id, 28),
      name: command.command,
      usage: command.usage_hint,
      hint: command.description,
      command: true,
    })),
  ":": (query) =>
    query.length < 2
      ? []
      : ranked(shownEmoji(), query, (name) => [name]).map((name) => ({
          insert: `:${name}:`,
          face: emoji(name),
          name: `:${name}:`,
          hint: "",
        })),
};

/** The word before the caret that calls for suggestions: {kind, query, from}, or null. */
function trigger(text, caret) {
  const before = text.slice(0, caret);
  const command = /^\/([\w-]*)$/.exec(before);
  if (command) return { kind: "/", query: command[1], from: 0 };
  const word = /(?:^|[\s(])([@#:])([\w.+-]*)$/.exec(before);
  return word ? { kind: word[1], query: word[2], from: caret - word[2].length - 1 } : null;
}

/** Watches a textarea. `onKey(press)` says true when it has used the key. */
export class Autocomplete {
  #area;
  #anchor;
  #list = null;
  #asked = null;

  constructor(area, anchor) {
    this.#area = area;
    this.#anchor = anchor;
    area.addEventListener("input", () => this.look());
    area.addEventListener("click", () => this.look());
    area.addEventListener("blur", () =>
      setTimeout(() => {
        if (document.activeElement !== area && !this.#list?.matches(":hover")) this.close();
      }, 120),
    );
  }

  get isOpen() {
    return Boolean(this.#list?.isConnected);
  }

  close() {
    if (this.isOpen) closePopover();
    this.#list = null;
    this.#area.removeAttribute("aria-activedescendant");
  }

  look() {
    const asked = trigger(this.#area.value, this.#area.selectionStart);
    const found = asked ? KINDS[asked.kind](asked.query) : [];
    if (!found.length) return this.close();
    this.#asked = asked;
    this.#show(found, asked.kind);
    return undefined;
  }

  #show(found, kind) {
    const rows = found.map((item) =>
      h(
        "button",
        {
          class: "suggestion",
          type: "button",
          role: "option",
          tabindex: "-1",
          data: { insert: item.insert },
          onpointerdown: (press) => press.preventDefault(),
          onclick: () => this.#take(item),
        },
        h("span", { class: "suggestion-face" }, item.face),
        h(
          "span",
          { class: "suggestion-main" },
          h(
            "span",
            { class: "suggestion-line" },
            h("span", { class: "suggestion-name" }, item.name),
            item.usage ? h("span", { class: "suggestion-usage" }, item.usage) : null,
            item.badge ? h("span", { class: "app-badge" }, item.badge) : null,
            item.command ? null : h("span", { class: "suggestion-hint" }, item.hint),
          ),
          item.command ? h("span", { class: "suggestion-hint" }, item.hint) : null,
        ),
      ),
    );
    rows[0].classList.add("is-active");
    const list = h(
      "div",
      {
        class: `suggestions${kind === "/" ? " suggestions-commands" : ""}`,
        role: "listbox",
        "aria-label": "Suggestions",
        "data-testid": "suggestions",
      },
      kind === "/" ? h("div", { class: "menu-heading" }, `Commands of ${store.bot.name}`) : null,
      rows,
    );
    const { place, panel } = popover(this.#anchor, list, { side: "above", className: "popover-suggestions" });
    panel.style.setProperty("width", `${this.#anchor.offsetWidth}px`);
    place();
    this.#list = list;
  }

  #take(item) {
    const { from } = this.#asked;
    const rest = this.#area.value.slice(this.#area.selectionStart);
    const lead = `${this.#area.value.slice(0, from)}${item.insert} `;
    this.#area.value = lead + rest.replace(/^ /, "");
    this.#area.setSelectionRange(lead.length, lead.length);
    this.close();
    this.#area.focus();
    this.#area.dispatchEvent(new Event("input"));
  }

  onKey(press) {
    if (!this.isOpen) return false;
    if (press.key === "Escape") {
      press.preventDefault();
      press.stopPropagation();
      this.close();
      return true;
    }
    if (press.key === "ArrowDown" || press.key === "ArrowUp") {
      walk(press, this.#list, ".suggestion");
      return true;
    }
    if (press.key !== "Tab" && press.key !== "Enter") return false;
    const active = this.#list.querySelector(".suggestion.is-active");
    const typed = this.#area.value.slice(this.#asked.from, this.#area.selectionStart);
    if (press.key === "Enter" && active.dataset.insert.toLowerCase() === typed.toLowerCase()) {
      this.close(); // nothing is left to complete: Enter sends
      return false;
    }
    press.preventDefault();
    active.click();
    return true;
  }
}
