// Files that wait in the composer to be sent.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { sizeOf } from "./file.js";
import { toast } from "./toast.js";

const LARGEST = 40_000_000; // bytes; they travel inside one JSON message

export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

export class Attachments {
  node = h("div", { class: "attachments", hidden: true });
  #files = [];
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get size() {
    return this.#files.length;
  }

  /** Takes files from a picker, the clipboard or a drop; true if there was any. */
  take(list) {
    const taken = [...(list || [])];
    for (const file of taken) {
      if (file.size > LARGEST)
        toast(`${file.name} is ${sizeOf(file.size)}; the largest file is ${sizeOf(LARGEST)}.`, "error");
      else this.#files.push(file);
    }
    if (taken.length) this.#paint();
    return taken.length > 0;
  }

  /** Those that wait now. */
  get files() {
    return [...this.#files];
  }

  /** Lets go of those that were sent: others may have been picked since. */
  drop(sent) {
    this.#files = this.#files.filter((one) => !sent.includes(one));
    this.#paint();
  }

  encoded(some) {
    return Promise.all(
      some.map(async (file) => ({
        name: file.name || "image.png",
        mimetype: file.type || "application/octet-stream",
        content_base64: await base64(file),
      })),
    );
  }

  #paint() {
    this.node.hidden = !this.#files.length;
    fill(
      this.node,
      this.#files.map((file) => {
        const image = file.type.startsWith("image/");
        const face = image
          ? h("img", { class: "attachment-image", alt: "", src: URL.createObjectURL(file) })
          : icon("file", { size: 24 });
        return h(
          "div",
          { class: `attachment${image ? " attachment-picture" : ""}`, title: file.name },
          face,
          image
            ? null
            : h(
                "span",
                { class: "attachment-text" },
                h("span", { class: "file-name" }, file.name),
                h("span", { class: "file-kind" }, sizeOf(file.size)),
              ),
          h(
            "button",
            {
              class: "attachment-remove",
              type: "button",
              "aria-label": `Remove ${file.name}`,
              onclick: () => {
                this.#files = this.#files.filter((one) => one !== file);
                this.#paint();
              },
            },
            icon("close", { size: 14 }),
          ),
        );
      }),
    );
    this.#onChange();
  }
}
