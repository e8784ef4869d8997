// Slack timestamps ("seconds.micro") as people say them.
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" });
const YEAR = new Intl.DateTimeFormat(undefined, { month: "long", day: "numeric", year: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const dateOf = (ts) => new Date(Number(ts) * 1000);

export const clock = (ts) => CLOCK.format(dateOf(ts));
export const full = (ts) => FULL.format(dateOf(ts));
export const dayKey = (ts) => dateOf(ts).toDateString();

export function day(ts) {
  const date = dateOf(ts);
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return (date.getFullYear() === today.getFullYear() ? DAY : YEAR).format(date);
}

export const dayAndTime = (ts) => `${day(ts)} at ${clock(ts)}`;

export function ago(ts) {
  const seconds = Math.max(0, Date.now() / 1000 - Number(ts));
  if (seconds < 60) return "just now";
  if (seconds < 3600) return plural(Math.floor(seconds / 60), "minute", " ago");
  if (seconds < 86400) return plural(Math.floor(seconds / 3600), "hour", " ago");
  return plural(Math.floor(seconds / 86400), "day", " ago");
}

export function plural(count, noun, after = "") {
  return `${count} ${noun}${count === 1 ? "" : "s"}${after}`;
}
