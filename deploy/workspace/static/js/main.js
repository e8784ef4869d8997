// Starts the page.
import { boot, session } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { store } from "./store.js";
import { take } from "./events.js";
import { Workspace } from "./workspace.js";

const DEFAULT_PERSON = "U0MAYA";

const personOf = (address) => new URL(address).searchParams.get("as") || DEFAULT_PERSON;

function failed(app, reason) {
  fill(
    app,
    h(
      "div",
      { class: "start-failed" },
      icon("alert", { size: 28 }),
      h("p", {}, reason || "The workspace did not answer."),
      h("button", { class: "button", type: "button", onclick: () => location.assign("/") }, "Try again"),
    ),
  );
}

async function start() {
  const app = document.getElementById("app");
  const as = personOf(location.href);
  const early = []; // what happens while the page is still being drawn
  let workspace = null;
  // The socket is open before the page reads what there is, so nothing falls between the two.
  await live(as, {
    onEvent: (event) => (workspace ? take(event, workspace) : early.push(event)),
    onState: (state) => workspace?.sidebar.online(state === "open"),
    onReturn: () => workspace?.catchUp(),
  });
  const answer = await boot(as);
  if (answer.ok === false || !answer.me) {
    failed(app, answer.error);
    return;
  }
  session.as = answer.me.id;
  store.load(answer);
  workspace = new Workspace(app);
  await workspace.open();
  for (const event of early) take(event, workspace);
  app.setAttribute("aria-busy", "false");
}

start();
