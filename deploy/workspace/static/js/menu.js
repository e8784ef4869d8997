// A list of commands in a popover, walked with the arrow keys.
import { h } from "./dom.js";
import { icon as draw } from "./icons.js";
import { closePopover, popover } from "./popover.js";

function row({ label, hint, icon, danger, run, testid, checked }) {
  return h(
    "button",
    {
      class: `menu-item${danger ? " menu-danger" : ""}`,
      type: "button",
      role: "menuitem",
      tabindex: "-1",
      "data-testid": testid,
      onclick: () => {
        closePopover({ refocus: true });
        run();
      },
    },
    icon instanceof Node ? icon : icon ? draw(icon, { size: 18 }) : null,
    h("span", { class: "menu-label" }, label, hint ? h("span", { class: "menu-hint" }, hint) : null),
    checked ? draw("check", { size: 16 }) : null,
  );
}

/** `items` are {label, hint?, icon?, danger?, run, testid?}, "-" (a line) or {heading}. */
export function menu(anchor, items, { side = "start", label = "Menu" } = {}) {
  const list = h(
    "div",
    { class: "menu", role: "menu", "aria-label": label },
    items.filter(Boolean).map((item) => {
      if (item === "-") return h("div", { class: "menu-line", role: "separator" });
      if (item.heading) return h("div", { class: "menu-heading" }, item.heading);
      return row(item);
    }),
  );
  list.addEventListener("keydown", (press) => {
    const rows = [...list.querySelectorAll(".menu-item")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[press.key];
    if (!step) return;
    press.preventDefault();
    rows[(rows.indexOf(document.activeElement) + step + rows.length) % rows.length].focus();
  });
  popover(anchor, list, { side, className: "popover-menu" });
  list.querySelector(".menu-item")?.focus({ preventScroll: true });
}
