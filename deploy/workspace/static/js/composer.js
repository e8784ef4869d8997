// The box in which messages are written.
import { h } from "./dom.js";
import { act } from "./api.js";
import { Attachments } from "./attachments.js";
import { Autocomplete } from "./autocomplete.js";
import { formatBar } from "./format_bar.js";
import { icon } from "./icons.js";
import { pickEmoji } from "./emoji_picker.js";
import { store } from "./store.js";
import { toast } from "./toast.js";
import { isBusy } from "./activity.js";

const drafts = new Map();
const TALLEST_PX = 320;

export class Composer {
  #off;
  #sending = false;

  /** `thread` is a thread's ts or null; `onEditLast` runs on Arrow-up in an empty box; `onSent` after a message went out. */
  constructor({ channel, thread = null, placeholder, onEditLast, onSent }) {
    Object.assign(this, { channel, thread, onEditLast, onSent });
    this.attachments = new Attachments(() => this.#paint());
    this.area = h("textarea", {
      class: "composer-text",
      rows: 1,
      placeholder,
      "aria-label": placeholder,
      "data-testid": thread ? "thread-composer" : "composer",
      data: { channel, thread },
      value: drafts.get(this.#key) || "",
    });
    this.button = h(
      "button",
      {
        class: "send",
        type: "button",
        "aria-label": "Send now",
        title: "Send now",
        "data-testid": thread ? "thread-send" : "send",
        onclick: () => this.send(),
      },
      icon("send", { size: 18 }),
    );
    this.stop = h(
      "button",
      { class: "stop", type: "button", "data-testid": "stop", onclick: () => this.#stop() },
      icon("stop", { size: 18 }),
      "Stop",
    );
    this.box = h(
      "div",
      { class: "composer-box" },
      formatBar(this.area),
      this.area,
      this.attachments.node,
      h("div", { class: "composer-foot" }, this.#tools(), this.button),
    );
    this.node = h("div", { class: "composer" }, this.box);
    this.autocomplete = new Autocomplete(this.area, this.box);
    this.area.addEventListener("input", () => this.#paint());
    this.area.addEventListener("keydown", (press) => this.#key_(press));
    this.area.addEventListener("paste", (paste) => {
      if (this.attachments.take(paste.clipboardData?.files)) paste.preventDefault();
    });
    this.box.addEventListener("dragover", (drag) => {
      drag.preventDefault();
      this.box.classList.add("is-dropping");
    });
    this.box.addEventListener("dragleave", () => this.box.classList.remove("is-dropping"));
    this.box.addEventListener("drop", (drop) => {
      drop.preventDefault();
      this.box.classList.remove("is-dropping");
      this.attachments.take(drop.dataTransfer?.files);
    });
    this.#off = store.on("activity", () => this.#paint());
    this.#paint();
  }

  get #key() {
    return `${this.channel}:${this.thread || ""}`;
  }

  close() {
    this.#off();
    this.autocomplete.close();
  }

  focus() {
    this.area.focus({ preventScroll: true });
  }

  #tools() {
    const insert = (text) => {
      this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
      this.focus();
      this.area.dispatchEvent(new Event("input"));
    };
    const lead = () =>
      this.area.selectionStart && !/\s$/.test(this.area.value.slice(0, this.area.selectionStart)) ? " " : "";
    const pick = h("input", {
      type: "file",
      multiple: true,
      class: "visually-hidden",
      tabindex: "-1",
      "aria-label": "Upload files",
      "data-testid": this.thread ? "thread-file-input" : "file-input",
      onchange: () => {
        this.attachments.take(pick.files);
        pick.value = "";
      },
    });
    const tool = (label, name, run) =>
      h(
        "button",
        { class: "icon-button", type: "button", title: label, "aria-label": label, onclick: run },
        icon(name, { size: 18 }),
      );
    return h(
      "div",
      { class: "composer-tools" },
      pick,
      tool("Attach a file", "plus", () => pick.click()),
      tool("Emoji", "smile", (click) =>
        pickEmoji(click.currentTarget, (name) => insert(`${lead()}:${name}: `)),
      ),
      tool("Mention someone", "at", () => insert(`${lead()}@`)),
      tool("Run a command", "bolt", () => {
        if (!this.area.value.startsWith("/")) this.area.value = "/";
        this.focus();
        this.area.setSelectionRange(1, 1);
        this.area.dispatchEvent(new Event("input"));
      }),
    );
  }

  #key_(press) {
    if (press.isComposing || this.autocomplete.onKey(press)) return;
    if (press.key === "Enter" && !press.shiftKey && !press.altKey) {
      press.preventDefault();
      this.send();
    } else if (press.key === "ArrowUp" && !this.area.value) {
      press.preventDefault();
      this.onEditLast?.();
    }
  }

  #paint() {
    drafts.set(this.#key, this.area.value);
    this.area.style.setProperty("height", "auto");
    this.area.style.setProperty("height", `${Math.min(this.area.scrollHeight, TALLEST_PX)}px`);
    const empty = !this.area.value.trim() && !this.attachments.size;
    this.button.disabled = empty || this.#sending;
    if (isBusy(this.channel, this.thread)) this.button.before(this.stop);
    else this.stop.remove();
  }

  async send(text = this.area.value) {
    const words = text.trim();
    if ((!words && !this.attachments.size) || this.#sending) return;
    this.#sending = true;
    const command = /^\/([a-z][\w-]*)(?:\s+([\s\S]*))?$/i.exec(words);
    const known = command && store.commands.some((one) => one.command === `/${command[1]}`);
    if (command && !known) {
      this.#sending = false;
      toast(`/${command[1]} is not a valid command. Type / to see the commands that are there.`, "error");
      return;
    }
    const picked = this.attachments.files;
    const files = await this.attachments.encoded(picked);
    const own = text === this.area.value;
    if (own) this.#empty();
    const answer = known
      ? await act("command", {
          channel: this.channel,
          thread: this.thread || undefined,
          command: `/${command[1]}`,
          text: command[2] || "",
        })
      : await act("post", {
          channel: this.channel,
          text: words,
          thread: this.thread || undefined,
          files: files.length ? files : undefined,
        });
    this.#sending = false;
    if (answer.ok === false && own && !this.area.value) this.area.value = text;
    else if (answer.ok !== false) this.attachments.drop(picked);
    this.#paint();
    if (answer.ok !== false) this.onSent?.(answer);
  }

  #empty() {
    this.area.value = "";
    this.#paint();
  }

  #stop() {
    const busy = isBusy(this.channel, this.thread);
    if (busy) act("stop", { channel: this.channel, thread_ts: busy });
  }
}

/** Stands in for the composer where the person is no member. */
export function joinBar(channel, onJoin) {
  return h(
    "div",
    { class: "composer" },
    h(
      "div",
      { class: "join-bar" },
      h("span", {}, "You are viewing ", h("strong", {}, `#${channel.name}`)),
      h(
        "button",
        {
          class: "button button-primary button-solid",
          type: "button",
          "data-testid": "join",
          onclick: onJoin,
        },
        "Join channel",
      ),
    ),
  );
}
