// Short plain sentences at the foot of the page.
import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;

export function toast(text, kind = "info") {
  const shelf = document.getElementById("toasts");
  const node = h(
    "div",
    { class: `toast toast-${kind}`, "data-testid": "toast" },
    icon(kind === "error" ? "alert" : "info"),
    h("span", { class: "toast-text" }, text),
  );
  const close = h(
    "button",
    { class: "toast-close", type: "button", "aria-label": "Dismiss", onclick: () => node.remove() },
    icon("close"),
  );
  node.append(close);
  shelf.append(node);
  while (shelf.childElementCount > 3) shelf.firstElementChild.remove();
  setTimeout(() => node.remove(), SHOWN_MS);
}
