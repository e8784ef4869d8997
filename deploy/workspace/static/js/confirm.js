// A confirm object ({title, text, confirm, deny, style}) asked before an action.
import { h } from "./dom.js";
import { dialog } from "./dialog.js";
import { textObject } from "./mrkdwn.js";

/** True once the person agrees, false when they do not. */
export function confirmed(question) {
  if (!question) return Promise.resolve(true);
  return new Promise((resolve) => {
    const answer = (yes) => () => {
      close();
      resolve(yes);
    };
    const { close } = dialog({
      title: question.title?.text || "Are you sure?",
      body: h("div", { class: "confirm-text" }, textObject(question.text)),
      foot: [
        h(
          "button",
          { class: "button", type: "button", "data-testid": "confirm-deny", onclick: answer(false) },
          question.deny?.text || "Cancel",
        ),
        h(
          "button",
          {
            class: `button button-${question.style === "danger" ? "danger" : "primary"} button-solid`,
            type: "button",
            "data-testid": "confirm-yes",
            onclick: answer(true),
          },
          question.confirm?.text || "Yes",
        ),
      ],
      onDismiss: () => resolve(false),
      small: true,
    });
  });
}
