// Who someone is.
import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { becomes } from "./sidebar.js";
import { dialog } from "./dialog.js";
import { store } from "./store.js";

export function profile(userId, openApp) {
  const user = store.users.get(userId);
  if (!user) return;
  const button = (label, run) =>
    h(
      "button",
      {
        class: "button",
        type: "button",
        onclick: () => {
          close();
          run();
        },
      },
      label,
    );
  const bot = userId === store.bot.user_id;
  const { close } = dialog({
    title: bot ? "App" : "Profile",
    small: true,
    testid: "profile",
    body: h(
      "div",
      { class: "profile" },
      avatar(userId, 96),
      h(
        "div",
        { class: "profile-text" },
        h("h3", { class: "profile-name" }, user.real_name || user.name),
        h("p", { class: "profile-note" }, `@${user.name}`),
        h(
          "p",
          { class: "profile-note" },
          bot
            ? "Answers questions in channels, threads and direct messages"
            : user.is_admin
              ? "Workspace admin"
              : "Member",
        ),
      ),
    ),
    foot: bot
      ? [button("Message", () => openApp("messages")), button("Home", () => openApp("home"))]
      : userId === store.me.id
        ? null
        : [button(`Act as ${(user.real_name || user.name).split(" ")[0]}`, () => becomes(userId))],
  });
}
