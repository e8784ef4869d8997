// Ctrl+K: go anywhere by name.
import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { dialog } from "./dialog.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { walk } from "./select.js";

function places() {
  return [...store.channels.values()]
    .map((channel) => ({
      id: channel.id,
      name: store.title(channel.id, { bare: true }),
      note: channel.is_im ? (store.isBotDm(channel.id) ? "App" : "Direct message") : channel.topic,
      face: () =>
        channel.is_im
          ? avatar(channel.is_im && store.isBotDm(channel.id) ? store.bot.user_id : channel.user, 24)
          : icon(channel.is_private ? "lock" : "hash", { size: 18 }),
      unread: store.unread[channel.id] || 0,
    }))
    .sort((a, b) => b.unread - a.unread || a.name.localeCompare(b.name));
}

export function switcher(go) {
  const list = h("div", { class: "switcher-list", role: "listbox", "aria-label": "Places" });
  const search = h("input", {
    class: "switcher-search",
    type: "text",
    placeholder: "Find a channel or the app",
    "aria-label": "Find a channel or the app",
    "data-autofocus": "true",
    autocomplete: "off",
    "data-testid": "switcher-search",
  });
  let close;
  function paint() {
    const query = search.value.trim().toLowerCase();
    const found = places().filter((place) => place.name.toLowerCase().includes(query));
    list.replaceChildren(
      ...found.map((place, at) =>
        h(
          "button",
          {
            class: `switcher-row${at === 0 ? " is-active" : ""}${place.unread ? " is-unread" : ""}`,
            type: "button",
            role: "option",
            tabindex: "-1",
            data: { channel: place.id },
            onclick: () => {
              close();
              go(place.id);
            },
          },
          h("span", { class: "switcher-face" }, place.face()),
          h("span", { class: "switcher-name" }, place.name),
          h("span", { class: "switcher-note" }, place.note || ""),
        ),
      ),
    );
    if (!found.length)
      list.replaceChildren(h("div", { class: "select-note" }, `Nothing is called “${search.value.trim()}”.`));
  }
  search.addEventListener("input", paint);
  search.addEventListener("keydown", (press) => walk(press, list, ".switcher-row"));
  paint();
  ({ close } = dialog({
    title: "Go to",
    body: [
      h("div", { class: "switcher-box" }, icon("search", { size: 18 }), search),
      list,
      h(
        "div",
        { class: "switcher-foot" },
        h("kbd", {}, "↑"),
        h("kbd", {}, "↓"),
        " to choose ",
        h("kbd", {}, "Enter"),
        " to open ",
        h("kbd", {}, "Esc"),
        " to close",
      ),
    ],
    className: "dialog-switcher",
    testid: "switcher",
  }));
}
