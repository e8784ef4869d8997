// What a message says: its tasks, blocks or text, and files. Parts that did not change keep their nodes.
import { h } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { files } from "./file.js";
import { GrowingText } from "./growing_text.js";
import { inMessage } from "./block_context.js";
import { mrkdwn } from "./mrkdwn.js";
import { plan } from "./tasks.js";

/** "Maya has joined" stands under Maya's name, so it says only "joined". */
function words(message) {
  return /^channel_(join|leave)$/.test(message.subtype || "")
    ? message.text.replace(/^<@\w+> has /, "")
    : message.text;
}

export class MessageBody {
  node = h("div", { class: "message-body" });
  #parts = [];
  #context;
  #onGrow;

  constructor(channel, ts, onGrow) {
    this.#context = inMessage(channel, ts);
    this.#onGrow = onGrow;
  }

  show(message) {
    const wanted = this.#wanted(message);
    wanted.forEach((want, at) => {
      const old = this.#parts[at];
      if (want.grow !== undefined && old?.growing) old.growing.set(want.grow, want.open);
      else if (!old || old.key !== want.key) this.#put(at, want);
      this.#parts[at].key = want.key;
    });
    for (const part of this.#parts.splice(wanted.length)) part.node.remove();
  }

  #put(at, want) {
    const growing = want.grow === undefined ? null : new GrowingText(this.#onGrow);
    growing?.set(want.grow, want.open);
    const node = growing
      ? h(
          "div",
          { class: "block block-markdown", data: { blockId: want.id, blockType: "markdown" } },
          growing.node,
        )
      : want.draw();
    if (this.#parts[at]) this.#parts[at].node.replaceWith(node);
    else this.node.append(node);
    this.#parts[at] = { node, growing, key: want.key };
  }

  #wanted(message) {
    const out = [];
    const open = Boolean(message.streaming);
    if (message.tasks?.length) {
      const key = JSON.stringify(["tasks", message.plan, message.tasks, open]);
      out.push({ key, draw: () => plan(message.plan, message.tasks, { folded: !open }) });
    }
    if (message.blocks?.length) out.push(...message.blocks.map((block) => this.#blockPart(block, open)));
    else if (message.text)
      out.push({
        key: `text:${message.text}`,
        draw: () => h("div", { class: "message-text" }, mrkdwn(words(message))),
      });
    if (message.files?.length)
      out.push({ key: JSON.stringify(message.files), draw: () => files(message.files) });
    return out;
  }

  #blockPart(block, open) {
    if (block.type === "markdown")
      return { key: `markdown:${block.text}`, grow: block.text, open, id: block.block_id };
    return { key: JSON.stringify(block), draw: () => drawBlocks([block], this.#context)[0] };
  }
}
