// The messages of a channel or of a thread: grouped by author, cut by days, kept at the bottom while news come in.
import { announce, fill, h } from "./dom.js";
import { history } from "./api.js";
import { day, dayKey } from "./time.js";
import { icon } from "./icons.js";
import { MessageRow } from "./message.js";
import { statusLine } from "./status.js";
import { store, threadKey } from "./store.js";

const GROUP_SECONDS = 300;
const BOTTOM_PX = 60;

export class MessageList {
  #rows = new Map();
  #separators = new Map();
  #off = [];
  #sticky = true;
  #newFrom = null;
  #loaded = false;
  #loads = new Set(); // for each load under way: the ts of what was heard of meanwhile, which is newer

  /** `thread` is a thread's ts or null; `intro` stands above the first message. */
  constructor(channel, { thread = null, intro = null, label }) {
    this.channel = channel;
    this.thread = thread;
    this.inner = h("div", { class: "messages", role: "log", "aria-label": label, "aria-live": "off" });
    this.tail = h("div", { class: "messages-tail" });
    this.jump = h(
      "button",
      { class: "jump", type: "button", hidden: true, onclick: () => this.toBottom() },
      icon("down", { size: 16 }),
      "New messages",
    );
    this.scroller = h(
      "div",
      { class: "messages-scroll", tabindex: "-1" },
      h("div", { class: "messages-push" }),
      intro,
      this.inner,
      this.tail,
    );
    this.node = h("div", { class: "messages-frame" }, this.scroller, this.jump);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.inner.addEventListener("keydown", (press) => this.#walk(press));
    this.#resize = new ResizeObserver(() => this.#settle());
    this.#resize.observe(this.inner);
    this.#resize.observe(this.scroller);
    this.#off.push(
      store.on("upsert", (news) => {
        if (news.channel === channel) this.upsert(news.message, true);
      }),
      store.on("remove", (news) => {
        if (news.channel === channel) this.remove(news.ts);
      }),
      store.on("status", (news) => {
        if (news.channel === channel) this.#showStatus(news.thread);
      }),
      store.on("caughtUp", () => this.load()),
    );
  }

  #resize;
  #lastTop = 0;

  /** Only a scroll upwards lets go of the bottom: pictures that load late grow the list without anybody scrolling. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < BOTTOM_PX) {
      this.#sticky = true;
      this.jump.hidden = true;
    } else if (scrollTop < this.#lastTop) this.#sticky = false;
    this.#lastTop = scrollTop;
  }

  get messages() {
    return [...this.#rows.values()].map((row) => row.message);
  }

  close() {
    for (const off of this.#off) off();
    this.#resize.disconnect();
  }

  async load({ unread = 0 } = {}) {
    const heard = new Set();
    this.#loads.add(heard);
    const answer = await history(this.channel, this.thread);
    this.#loads.delete(heard);
    if (answer.ok === false || !answer.messages) {
      fill(
        this.tail,
        h("div", { class: "messages-failed" }, answer.error || "The messages could not be read."),
      );
      return;
    }
    const kept = new Set(answer.messages.map((message) => message.ts));
    for (const [ts, row] of this.#rows)
      if (!kept.has(ts) && !heard.has(ts) && this.#loaded && !row.message.ephemeral) this.#rows.delete(ts);
    const others = answer.messages.filter((message) => message.user !== store.me.id);
    if (unread && !this.thread) this.#newFrom = others.at(-Math.min(unread, others.length))?.ts || null;
    for (const message of answer.messages) if (!heard.has(message.ts)) this.#take(message);
    this.#loaded = true;
    this.#layout();
    this.#showStatus(this.thread);
    this.toBottom();
  }

  belongs(message) {
    if (this.thread) return message.ts === this.thread || message.thread_ts === this.thread;
    return !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";
  }

  upsert(message, isNews) {
    if (!this.belongs(message)) return;
    for (const heard of this.#loads) heard.add(message.ts);
    const known = this.#rows.has(message.ts);
    this.#take(message);
    if (!known) {
      this.#layout();
      if (isNews && message.user === store.me.id) this.#sticky = true;
      else if (isNews) this.#say(message);
      if (!this.#sticky) this.jump.hidden = false;
    } else if (this.thread === message.ts || message.reply_count === 1) this.#layout();
    this.#settle();
  }

  #say(message) {
    const who = store.users.get(message.user)?.real_name || store.bot.name;
    announce(`${who}: ${(message.text || "new message").slice(0, 200)}`);
  }

  #take(message) {
    const row = this.#rows.get(message.ts);
    if (row) row.show(message);
    else this.#rows.set(message.ts, new MessageRow(this.channel, message, this.thread, () => this.#settle()));
  }

  remove(ts) {
    for (const heard of this.#loads) heard.add(ts);
    if (this.#rows.delete(ts)) this.#layout();
  }

  row(ts) {
    return this.#rows.get(ts);
  }

  /** Arrow keys go from message to message; Tab then enters the toolbar of the one in focus. */
  #walk(press) {
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[press.key];
    if (!step || !press.target.matches(".message")) return;
    let next = press.target[step];
    while (next && !next.matches(".message")) next = next[step];
    if (!next) return;
    press.preventDefault();
    next.focus();
  }

  #separator(key, build) {
    if (!this.#separators.has(key)) this.#separators.set(key, build());
    return this.#separators.get(key);
  }

  #layout() {
    const rows = [...this.#rows.values()].sort((a, b) => (a.message.ts < b.message.ts ? -1 : 1));
    const wanted = [];
    let before = null;
    for (const row of rows) {
      const { message } = row;
      const newDay = !before || dayKey(before.ts) !== dayKey(message.ts);
      const isNew = message.ts === this.#newFrom;
      if (newDay && !this.thread)
        wanted.push(
          this.#separator(`day ${dayKey(message.ts)}`, () =>
            h("div", { class: "day", role: "separator" }, h("span", { class: "day-name" }, day(message.ts))),
          ),
        );
      if (isNew)
        wanted.push(
          this.#separator("new", () =>
            h("div", { class: "new-line", role: "separator" }, h("span", {}, "New")),
          ),
        );
      const grouped =
        before &&
        !newDay &&
        !isNew &&
        before.user === message.user &&
        !before.ephemeral === !message.ephemeral &&
        before.subtype !== "tombstone" &&
        (this.thread || !before.reply_count) &&
        message.subtype !== "tombstone" &&
        message.ts - before.ts < GROUP_SECONDS &&
        !(this.thread && before.ts === this.thread);
      row.node.classList.toggle("is-grouped", Boolean(grouped));
      wanted.push(row.node);
      if (this.thread && message.ts === this.thread) wanted.push(this.#repliesLine(rows.length - 1));
      before = message;
    }
    this.#reconcile(wanted);
    rows.forEach((row, at) => row.node.setAttribute("tabindex", at === rows.length - 1 ? "0" : "-1"));
    this.onCount?.(rows.length);
  }

  #repliesLine(count) {
    const line = this.#separator("replies", () => h("div", { class: "replies-line" }, h("span")));
    line.hidden = count === 0;
    line.firstChild.textContent = count === 1 ? "1 reply" : `${count} replies`;
    return line;
  }

  #reconcile(wanted) {
    wanted.forEach((node, at) => {
      if (this.inner.childNodes[at] !== node)
        this.inner.insertBefore(node, this.inner.childNodes[at] || null);
    });
    while (this.inner.childNodes.length > wanted.length) this.inner.lastChild.remove();
  }

  #showStatus(thread) {
    if (this.thread && thread === this.thread) {
      const status = store.statuses.get(threadKey(this.channel, thread));
      fill(this.tail, status ? statusLine(status) : null);
      this.#settle();
    } else if (!this.thread && thread) this.#rows.get(thread)?.refresh();
  }

  #settle() {
    if (this.#sticky) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  toBottom() {
    this.#sticky = true;
    this.jump.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** The own message that Arrow-up in an empty composer edits. */
  lastOwn() {
    return [...this.#rows.values()]
      .filter((row) => row.message.user === store.me.id && !row.message.ephemeral)
      .sort((a, b) => (a.message.ts < b.message.ts ? 1 : -1))[0];
  }
}
