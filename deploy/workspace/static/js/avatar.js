// A person's or the app's picture: initials on their colour, drawn, never fetched.
import { h, svg } from "./dom.js";
import { store } from "./store.js";

function appMark() {
  return svg(
    "svg",
    { viewBox: "0 0 32 32", class: "avatar-mark", "aria-hidden": "true" },
    svg(
      "g",
      { fill: "none", stroke: "#fff", "stroke-width": "2.6", "stroke-linecap": "round" },
      svg("path", { d: "M8 11h7l4 10h5" }),
      svg("path", { d: "M8 21h4" }),
      svg("path", { d: "M20 11h4" }),
    ),
    svg("circle", { cx: 8, cy: 11, r: 2.2, fill: "#ecb22e" }),
    svg("circle", { cx: 24, cy: 21, r: 2.2, fill: "#2eb67d" }),
  );
}

function initialsOf(user) {
  return (
    user.initials ||
    (user.real_name || user.name || "?")
      .split(/\s+/)
      .map((word) => word[0])
      .join("")
      .slice(0, 2)
      .toUpperCase()
  );
}

/** `size` is in pixels. */
export function avatar(userId, size = 36) {
  const user = store.users.get(userId) || { name: userId || "?" };
  const bot = user.is_bot || userId === store.bot?.user_id;
  const node = h(
    "span",
    { class: `avatar${bot ? " avatar-app" : ""}`, "aria-hidden": "true", style: { "--size": `${size}px` } },
    bot ? appMark() : initialsOf(user),
  );
  if (!bot && user.color)
    node.style.setProperty("background", user.color.startsWith("#") ? user.color : `#${user.color}`);
  return node;
}
