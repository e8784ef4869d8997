// What the page knows of the workspace, and who wants to hear of changes.
class Store {
  team = null;
  me = null;
  bot = null;
  users = new Map();
  channels = new Map();
  commands = [];
  shortcuts = [];
  prompts = {};
  unread = {};
  mentions = {};
  statuses = new Map(); // "channel:thread" → {status, loading}
  titles = new Map(); // "channel:thread" → a thread's own title
  home = null;
  here = { channel: null, tab: "messages" };
  #listeners = new Map();

  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }

  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) || [])]) listener(detail);
  }

  load(boot) {
    this.team = boot.team;
    this.me = boot.me;
    this.bot = boot.bot;
    this.users = new Map(boot.users.map((user) => [user.id, user]));
    this.channels = new Map(boot.channels.map((channel) => [channel.id, channel]));
    this.setApp(boot);
    this.prompts = boot.prompts || {};
    this.unread = boot.unread || {};
    this.home = boot.home || null;
  }

  setApp({ commands, shortcuts }) {
    this.commands = commands || [];
    this.shortcuts = shortcuts || [];
  }

  isBotDm(id) {
    const channel = this.channels.get(id);
    return Boolean(channel?.is_im && channel.user === this.bot?.user_id);
  }

  botDm() {
    return [...this.channels.keys()].find((id) => this.isBotDm(id));
  }

  /** A channel's name as a person reads it: "#help", "Leo Brandt", "Switchboard". */
  title(id, { bare = false } = {}) {
    const channel = this.channels.get(id);
    if (!channel) return "Unknown channel";
    if (channel.is_im)
      return (
        this.users.get(channel.user)?.real_name ||
        (this.isBotDm(id) ? this.bot.name : channel.name || "Direct message")
      );
    return bare || channel.is_private ? channel.name : `#${channel.name}`;
  }
}

export const store = new Store();
export const threadKey = (channel, thread) => `${channel}:${thread}`;
