// The frame of every dialog: a dimmed page, a title, a way out, and the keyboard kept inside.
import { h, uid } from "./dom.js";
import { icon } from "./icons.js";

const FOCUSABLE =
  "a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), [tabindex='0']";
const stack = [];

export const dialogIsOpen = () => stack.length > 0;

function keepInside(press, node) {
  const stops = [...node.querySelectorAll(FOCUSABLE)].filter((stop) => stop.offsetParent);
  if (!stops.length) return;
  const edge = press.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge) return;
  press.preventDefault();
  (press.shiftKey ? stops.at(-1) : stops[0]).focus();
}

export function focusFirst(node) {
  const first =
    node.querySelector(
      "[data-autofocus], .dialog-body input:not([type=hidden]), .dialog-body textarea, .dialog-body .select",
    ) ||
    node.querySelector(".dialog-foot .button-solid") ||
    node.querySelector(FOCUSABLE);
  first?.focus({ preventScroll: true });
}

/** Opens a dialog; `onDismiss` hears the cross, Escape and, unless it is `sturdy`, a click beside it. */
export function dialog({
  title,
  body,
  foot,
  onDismiss,
  onBack,
  small = false,
  sturdy = false,
  testid,
  className = "",
  data,
}) {
  const before = document.activeElement;
  const titleId = uid("title");
  const dismiss = () => {
    close();
    onDismiss?.();
  };
  const node = h(
    "div",
    {
      class: `dialog${small ? " dialog-small" : ""} ${className}`,
      role: "dialog",
      "aria-modal": "true",
      "aria-labelledby": titleId,
      "data-testid": testid,
      data,
    },
    h(
      "header",
      { class: "dialog-head" },
      onBack
        ? h(
            "button",
            { class: "icon-button", type: "button", "aria-label": "Back", onclick: onBack },
            icon("left"),
          )
        : null,
      h("h2", { class: "dialog-title", id: titleId }, title),
      h(
        "button",
        {
          class: "icon-button dialog-close",
          type: "button",
          "aria-label": "Close",
          "data-testid": "dialog-close",
          onclick: dismiss,
        },
        icon("close"),
      ),
    ),
    h("div", { class: "dialog-body" }, body),
    foot ? h("footer", { class: "dialog-foot" }, foot) : null,
  );
  const veil = h(
    "div",
    {
      class: "veil",
      onpointerdown: (press) => {
        if (press.target === veil && !sturdy) dismiss();
      },
    },
    node,
  );
  node.addEventListener("keydown", (press) => {
    if (press.key === "Tab") keepInside(press, node);
  });
  const entry = { dismiss };

  function close() {
    if (!veil.isConnected) return;
    stack.splice(stack.indexOf(entry), 1);
    veil.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  }

  document.getElementById("overlays").append(veil);
  stack.push(entry);
  focusFirst(node);
  return { node, close };
}

/** Escape: dismisses the topmost dialog; false when there is none. */
export function dismissTop() {
  const top = stack.at(-1);
  top?.dismiss();
  return Boolean(top);
}
