// One floating layer at a time: menus, pickers, autocomplete lists.
import { h } from "./dom.js";

const GAP = 4;
const EDGE = 8;
let open = null;

function place(panel, anchor, side) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  let left = side === "end" ? at.right - width : at.left;
  left = Math.max(EDGE, Math.min(left, innerWidth - width - EDGE));
  const below = at.bottom + GAP;
  const above = at.top - height - GAP;
  const top = side !== "above" && (below + height <= innerHeight - EDGE || above < EDGE) ? below : above;
  panel.style.setProperty("left", `${left}px`);
  panel.style.setProperty("top", `${Math.max(EDGE, Math.min(top, innerHeight - height - EDGE))}px`);
}

export function closePopover({ refocus = false } = {}) {
  if (!open) return false;
  const { panel, anchor, onClose, watch } = open;
  open = null;
  watch.abort();
  panel.remove();
  anchor.setAttribute?.("aria-expanded", "false");
  if (refocus) anchor.focus?.();
  onClose?.();
  return true;
}

/** Shows `content` beside `anchor`; a click elsewhere, Escape or a scroll of the page closes it. */
export function popover(anchor, content, { side = "start", className = "", onClose, owner } = {}) {
  closePopover();
  const panel = h("div", { class: `popover ${className}` }, content);
  const watch = new AbortController();
  document.getElementById("overlays").append(panel);
  place(panel, anchor, side);
  anchor.setAttribute?.("aria-expanded", "true");
  open = { panel, anchor, onClose, watch };
  const { signal } = watch;
  document.addEventListener(
    "pointerdown",
    (press) => {
      if (!panel.contains(press.target) && !anchor.contains(press.target) && !owner?.contains(press.target))
        closePopover();
    },
    { signal, capture: true },
  );
  addEventListener("resize", () => closePopover(), { signal });
  panel.addEventListener(
    "keydown",
    (press) => {
      if (press.key !== "Escape") return;
      press.stopPropagation();
      closePopover({ refocus: true });
    },
    { signal },
  );
  return { panel, place: () => place(panel, anchor, side) };
}
