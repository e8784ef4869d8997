// Which threads the app is at work in: open streams and standing statuses.
import { store, threadKey } from "./store.js";

const streams = new Map(); // "channel:ts" of a growing message → {channel, thread}

/** Notes whether a message is still growing. */
export function noteStream(channel, message) {
  const key = threadKey(channel, message.ts);
  const before = streams.has(key);
  if (message.streaming)
    streams.set(key, { channel, thread: message.thread_ts || message.ts, top: !message.thread_ts });
  else streams.delete(key);
  if (before !== streams.has(key)) store.emit("activity");
}

export function forgetStreams() {
  streams.clear();
  store.emit("activity");
}

export function noteStatus(channel, thread, status, loading) {
  const key = threadKey(channel, thread);
  if (status) store.statuses.set(key, { status, loading });
  else store.statuses.delete(key);
  store.emit("status", { channel, thread });
  store.emit("activity");
}

/** The ts of the thread that Stop would stop here, or null; without `thread`: a stream at the channel's top level. */
export function isBusy(channel, thread) {
  for (const stream of streams.values()) {
    if (stream.channel === channel && (thread ? stream.thread === thread : stream.top)) return stream.thread;
  }
  return thread && store.statuses.has(threadKey(channel, thread)) ? thread : null;
}
