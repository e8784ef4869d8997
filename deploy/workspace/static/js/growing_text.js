// Markdown that is still being written: it is revealed a little every frame, so that it grows instead of jumping.
import { drawMarkdown } from "./markdown.js";
import { h } from "./dom.js";

const HALF_CITATION = /\[\[([^[\]]{0,60})\]?(?:\]\([^()\s]{0,2000}|\])?$/; // [[1]](https://…
const HALF_LINK = /!?\[([^[\]]{0,300})(?:\]\([^()\s]{0,2000})?$/;
const FRAMES_TO_CATCH_UP = 14;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Closes what a half-written last line leaves open, so that no raw marks flicker. */
function healed(text) {
  const lastBreak = text.lastIndexOf("\n") + 1;
  let line = text.slice(lastBreak).replace(HALF_CITATION, "[$1]").replace(HALF_LINK, "$1");
  for (const mark of ["**", "`"])
    if (line.split(mark).length % 2 === 0 && !/^\s*(```|~~~)/.test(line))
      line = line.endsWith(mark) ? line.slice(0, -mark.length) : line + mark;
  return text.slice(0, lastBreak) + line;
}

export class GrowingText {
  node = h("div", { class: "markdown" });
  #target = "";
  #shown = 0;
  #frame = 0;
  #open = false;
  #onGrow;

  constructor(onGrow) {
    this.#onGrow = onGrow;
  }

  /** Sets the whole text; `open` says that more may follow. */
  set(text, open) {
    const grows = text.startsWith(this.#target.slice(0, this.#shown));
    const animate = (open || this.#open) && grows && !calm.matches && !document.hidden;
    this.#target = text;
    this.#open = open;
    if (!animate) this.#shown = text.length;
    this.#draw();
    if (this.#shown < text.length && !this.#frame) this.#frame = requestAnimationFrame(() => this.#step());
  }

  #step() {
    this.#frame = 0;
    if (!this.node.isConnected) this.#shown = this.#target.length;
    const left = this.#target.length - this.#shown;
    this.#shown += Math.max(1, Math.ceil(left / FRAMES_TO_CATCH_UP));
    this.#draw();
    this.#onGrow?.();
    if (this.#shown < this.#target.length) this.#frame = requestAnimationFrame(() => this.#step());
  }

  #draw() {
    const whole = this.#shown >= this.#target.length;
    const text = whole ? this.#target : this.#target.slice(0, this.#shown);
    drawMarkdown(this.node, this.#open || !whole ? healed(text) : text);
    this.node.classList.toggle("is-growing", this.#open || !whole);
  }
}
