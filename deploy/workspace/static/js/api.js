// The page's door to its server: plain JSON, always in the name of the acting person.
import { toast } from "./toast.js";

export const session = { as: "" };

async function read(response) {
  try {
    return await response.json();
  } catch {
    return { ok: false, error: `The workspace answered with status ${response.status}.` };
  }
}

async function ask(path, options) {
  try {
    return await read(await fetch(path, options));
  } catch {
    return { ok: false, error: "The workspace cannot be reached. Is its server still running?" };
  }
}

function query(fields) {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) if (value) parts.set(key, value);
  return parts.toString();
}

export function boot(as) {
  return ask(`/_/boot?${query({ as })}`);
}

export function history(channel, thread) {
  return ask(`/_/history?${query({ as: session.as, channel, thread })}`);
}

/** One deed of the acting person; a refusal is shown as a toast unless `quiet`. */
export async function act(deed, fields = {}, { quiet = false } = {}) {
  const answer = await ask("/_/act", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ as: session.as, do: deed, ...fields }),
  });
  if (answer.ok === false && !quiet) toast(answer.error || "That did not work.", "error");
  return answer;
}
