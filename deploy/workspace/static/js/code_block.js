// A preformatted block with its language and a copy button.
import { announce, h } from "./dom.js";
import { icon } from "./icons.js";

export function copyable(text, language = "") {
  const copy = h(
    "button",
    { class: "code-copy", type: "button", "aria-label": "Copy code", title: "Copy code" },
    icon("copy", { size: 16 }),
  );
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(text);
    copy.replaceChildren(icon("check", { size: 16 }));
    announce("Copied");
    setTimeout(() => copy.replaceChildren(icon("copy", { size: 16 })), 1500);
  });
  return h(
    "div",
    { class: "code-block" },
    h("pre", { class: "pre", tabindex: "0", data: { language } }, h("code", {}, text)),
    h(
      "div",
      { class: "code-tools" },
      language ? h("span", { class: "code-language" }, language) : null,
      copy,
    ),
  );
}
