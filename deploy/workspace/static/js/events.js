// What each live event changes on the page.
import { announce } from "./dom.js";
import { closeView, openView, pushView, showErrors, updateView } from "./modals.js";
import { forgetStreams, noteStatus, noteStream } from "./activity.js";
import { store, threadKey } from "./store.js";
import { toast } from "./toast.js";

function message({ channel, message: news }, workspace) {
  noteStream(channel, news);
  store.emit("upsert", { channel, message: news });
  workspace.hear(channel, news);
}

const TAKE = {
  message,
  message_changed: ({ channel, message: news }) => {
    noteStream(channel, news);
    store.emit("upsert", { channel, message: news });
  },
  message_deleted: ({ channel, ts }) => {
    noteStream(channel, { ts });
    store.emit("remove", { channel, ts });
  },
  thread_status: ({ channel, thread_ts: thread, status, loading_messages: loading }, workspace) => {
    noteStatus(channel, thread, status, loading);
    if (status) workspace.showAgentThread(channel, thread);
  },
  prompts: ({ channel, title, prompts }) => {
    store.prompts[channel] = { title, prompts };
    store.emit("prompts", channel);
  },
  thread_title: ({ channel, thread_ts: thread, title }) => {
    store.titles.set(threadKey(channel, thread), title);
    store.emit("threadTitle", { channel, thread, title });
  },
  view_open: ({ view }) => openView(view),
  view_push: ({ view }) => pushView(view),
  view_update: ({ view }) => updateView(view),
  view_close: ({ view_id: id, all }) => closeView(id, all),
  view_errors: ({ view_id: id, errors }) => showErrors(id, errors),
  home: ({ view }) => {
    store.home = view;
    store.emit("home");
  },
  channel_joined: ({ channel }) => {
    store.channels.set(channel.id, channel);
    store.emit("channels");
    announce(`You are now in ${store.title(channel.id)}`);
  },
  command_reply_failed: ({ text }) => toast(text, "error"),
  reset: () => {
    forgetStreams();
    location.reload();
  },
};

/** Takes one live event; kinds that the page does not know are let pass. */
export function take(event, workspace) {
  TAKE[event.type]?.(event, workspace);
}
