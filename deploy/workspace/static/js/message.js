// One message in a list.
import { fill, h } from "./dom.js";
import { avatar } from "./avatar.js";
import { clock, full, ago, plural } from "./time.js";
import { icon } from "./icons.js";
import { MessageBody } from "./message_body.js";
import { messageTools } from "./message_tools.js";
import { reactions } from "./reactions.js";
import { statusLine } from "./status.js";
import { store, threadKey } from "./store.js";
import { editor } from "./message_editor.js";

export class MessageRow {
  #body;
  #parts;

  /** `thread` is the thread in which the row stands, or null in a channel; `onGrow` runs when its text got longer. */
  constructor(channel, message, thread, onGrow) {
    this.channel = channel;
    this.thread = thread;
    this.#body = new MessageBody(channel, message.ts, onGrow);
    this.#parts = {
      gutter: h("div", { class: "message-gutter" }),
      head: h("div", { class: "message-head" }),
      note: h("div"),
      edit: h("div"),
      under: h("div", { class: "message-under" }),
    };
    this.node = h(
      "article",
      {
        class: "message",
        "data-testid": "message",
        tabindex: "-1",
        data: { ts: message.ts, channel, thread: message.thread_ts },
      },
      this.#parts.gutter,
      h(
        "div",
        { class: "message-main" },
        this.#parts.note,
        this.#parts.head,
        this.#body.node,
        this.#parts.edit,
        this.#parts.under,
      ),
    );
    this.tools = h("div", { class: "message-tools-place" });
    this.node.append(this.tools);
    this.show(message);
  }

  get bot() {
    return Boolean(this.message.bot_id) || this.message.user === store.bot.user_id;
  }

  show(message) {
    this.message = message;
    const user = store.users.get(message.user);
    const gone = message.subtype === "tombstone";
    this.node.classList.toggle("message-ephemeral", Boolean(message.ephemeral));
    this.node.classList.toggle("message-gone", gone);
    this.node.classList.toggle("message-notice", /^channel_(join|leave|topic)$/.test(message.subtype || ""));
    Object.assign(this.node.dataset, {
      user: message.user,
      streaming: String(Boolean(message.streaming)),
      ephemeral: String(Boolean(message.ephemeral)),
    });
    const name = gone
      ? ""
      : user?.real_name || message.username || (this.bot ? store.bot.name : message.user);
    fill(
      this.#parts.gutter,
      gone ? h("span", { class: "gone-mark" }, icon("trash", { size: 18 })) : avatar(message.user, 36),
      h(
        "time",
        { class: "gutter-time", title: full(message.ts) },
        clock(message.ts).replace(/\s?[AP]M$/i, ""),
      ),
    );
    fill(
      this.#parts.head,
      gone
        ? null
        : [
            h(
              "button",
              { class: "message-author", type: "button", onclick: () => store.emit("person", message.user) },
              name,
            ),
            this.bot ? h("span", { class: "app-badge" }, "App") : null,
            h("time", { class: "message-time", title: full(message.ts) }, clock(message.ts)),
          ],
    );
    fill(
      this.#parts.note,
      message.ephemeral
        ? h("div", { class: "ephemeral-note" }, icon("eye", { size: 14 }), "Only visible to you")
        : null,
      message.subtype === "thread_broadcast" && !this.thread
        ? h("div", { class: "ephemeral-note" }, icon("reply", { size: 14 }), "replied to a thread")
        : null,
    );
    this.#body.show(message);
    this.#drawUnder();
    fill(this.tools, gone || message.ephemeral ? null : messageTools(this));
  }

  #drawUnder() {
    const { message } = this;
    const parent = !this.thread && message.reply_count > 0;
    const status = this.thread ? null : store.statuses.get(threadKey(this.channel, message.ts));
    fill(
      this.#parts.under,
      message.edited && message.subtype !== "tombstone"
        ? h("span", { class: "edited", title: full(message.edited.ts) }, "(edited)")
        : null,
      message.reactions?.length ? reactions(this.channel, message) : null,
      parent ? this.#threadBar() : null,
      status ? statusLine(status, { small: true }) : null,
    );
  }

  /** Draws again what depends on others' news: the status of its thread. */
  refresh() {
    this.#drawUnder();
  }

  #threadBar() {
    const { message } = this;
    return h(
      "button",
      {
        class: "thread-bar",
        type: "button",
        "data-testid": "thread-bar",
        onclick: () => store.emit("thread", { channel: this.channel, thread: message.ts }),
      },
      h(
        "span",
        { class: "thread-faces" },
        (message.reply_users || []).slice(0, 4).map((id) => avatar(id, 24)),
      ),
      h("span", { class: "thread-count" }, plural(message.reply_count, "reply").replace("replys", "replies")),
      message.latest_reply
        ? h("span", { class: "thread-latest" }, `Last reply ${ago(message.latest_reply)}`)
        : null,
      h("span", { class: "thread-open" }, "View thread"),
      icon("right", { size: 16 }),
    );
  }

  /** Replaces the text by an editor until the person saves or gives up. */
  edit() {
    this.node.classList.add("is-editing");
    const done = () => {
      this.node.classList.remove("is-editing");
      fill(this.#parts.edit);
    };
    fill(this.#parts.edit, editor(this.channel, this.message, done));
    const area = this.#parts.edit.querySelector("textarea");
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}
