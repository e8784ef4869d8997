// Where a block stands (a message, a modal, the Home tab), what its inputs hold, and how its actions reach the app.
import { act } from "./api.js";

class BlockContext {
  values = {};

  constructor(place, kind) {
    this.place = place;
    this.kind = kind;
  }

  /** Remembers an input's state as Slack reports it: state.values[block][action]. */
  hold(blockId, actionId, value) {
    (this.values[blockId] ||= {})[actionId] = value;
  }

  held(blockId, actionId) {
    return this.values[blockId]?.[actionId];
  }

  get state() {
    return { values: this.values };
  }

  /** Whether a change in this block is told to the app at once, not only on submit. */
  acts(block) {
    return block.type !== "input" || Boolean(block.dispatch_action);
  }

  /** Sends one action; resolves when the app has taken it. */
  send(element, block, fields) {
    return act("click", {
      ...this.place,
      block_id: block.block_id,
      action_id: element.action_id,
      type: element.type,
      ...fields,
      state: this.state,
    });
  }

  async options(element, block, query) {
    const answer = await act(
      "options",
      { ...this.place, block_id: block.block_id, action_id: element.action_id, value: query },
      { quiet: true },
    );
    return answer.ok === false ? { options: [], error: answer.error } : answer;
  }
}

export const inMessage = (channel, ts) => new BlockContext({ channel, ts }, "message");
export const inView = (viewId, kind) => new BlockContext({ view_id: viewId }, kind);
