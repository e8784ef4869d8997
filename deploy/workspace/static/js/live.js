// News from the server, with a reconnect that backs off and says so.
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;

/**
 * Opens the live socket of one person; resolves once it is open or has failed for the first time.
 * `onEvent` gets every event, `onState` "open" or "closed"; `onReturn` runs after a reconnect, to catch up.
 */
export function live(as, { onEvent, onState, onReturn }) {
  let wait = FIRST_WAIT_MS;
  let opened = false;
  return new Promise((settled) => {
    function connect() {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const socket = new WebSocket(`${scheme}://${location.host}/_/live?as=${encodeURIComponent(as)}`);
      socket.addEventListener("open", () => {
        wait = FIRST_WAIT_MS;
        onState("open");
        if (opened) onReturn();
        opened = true;
        settled();
      });
      socket.addEventListener("message", (news) => onEvent(JSON.parse(news.data)));
      socket.addEventListener("close", () => {
        onState("closed");
        settled();
        setTimeout(connect, wait);
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      });
    }
    connect();
  });
}
