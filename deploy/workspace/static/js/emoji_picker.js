// A small searchable grid of emoji.
import { h } from "./dom.js";
import { closePopover, popover } from "./popover.js";
import { emoji, shownEmoji } from "./emoji.js";

export function pickEmoji(anchor, onPick) {
  const search = h("input", {
    class: "select-search",
    type: "text",
    placeholder: "Search emoji",
    "aria-label": "Search emoji",
    autocomplete: "off",
  });
  const grid = h("div", { class: "emoji-grid", role: "listbox", "aria-label": "Emoji" });
  const show = () =>
    grid.replaceChildren(
      ...shownEmoji()
        .filter((name) => name.includes(search.value.trim().toLowerCase()))
        .map((name) =>
          h(
            "button",
            {
              class: "emoji-cell",
              type: "button",
              role: "option",
              title: `:${name}:`,
              "aria-label": name,
              data: { emoji: name },
              onclick: () => {
                closePopover({ refocus: true });
                onPick(name);
              },
            },
            emoji(name, { big: true }),
          ),
        ),
    );
  search.addEventListener("input", show);
  search.addEventListener("keydown", (press) => {
    if (press.key === "Enter") grid.firstElementChild?.click();
  });
  show();
  popover(
    anchor,
    h("div", { class: "select-panel emoji-panel" }, h("div", { class: "select-search-box" }, search), grid),
    { side: "end", className: "popover-select" },
  );
  search.focus({ preventScroll: true });
}
