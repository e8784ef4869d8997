// From a press on a control to the app: the question asked first, and the busy look while it is on its way.
import { confirmed } from "./confirm.js";

/** Runs an action once the confirm question, if any, is answered with yes, and shows that it is on its way. */
export async function dispatch(element, block, context, fields, button) {
  if (!(await confirmed(element.confirm))) return false;
  button?.classList.add("is-busy");
  button?.setAttribute("aria-busy", "true");
  const answer = await context.send(element, block, fields);
  button?.classList.remove("is-busy");
  button?.removeAttribute("aria-busy");
  return answer.ok !== false;
}
