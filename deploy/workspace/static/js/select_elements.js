// The select elements of Block Kit: where their options come from and under which name the choice is sent.
import { store } from "./store.js";
import { avatar } from "./avatar.js";
import { select } from "./select.js";
import { icon } from "./icons.js";
import { dispatch } from "./dispatch.js";

const asOption = (value, text, face) => ({ value, text, icon: face });

function people() {
  return [...store.users.values()].map((user) =>
    asOption(user.id, user.real_name || user.name, avatar(user.id, 20)),
  );
}

function channels({ withDms = false } = {}) {
  return [...store.channels.values()]
    .filter((channel) => withDms || !channel.is_im)
    .map((channel) =>
      asOption(
        channel.id,
        store.title(channel.id, { bare: true }),
        icon(channel.is_im ? "dms" : channel.is_private ? "lock" : "hash", { size: 16 }),
      ),
    );
}

const FAMILIES = {
  static: {
    load: (element) => () =>
      element.option_groups ? { option_groups: element.option_groups } : { options: element.options || [] },
    one: "selected_option",
    many: "selected_options",
    initial: (element) => element.initial_options || [element.initial_option],
    pick: (option) => option,
  },
  external: {
    load: (element, block, context) => (query) => context.options(element, block, query),
    one: "selected_option",
    many: "selected_options",
    initial: (element) => element.initial_options || [element.initial_option],
    pick: (option) => option,
  },
  users: {
    load: () => () => ({ options: people() }),
    from: people,
    one: "selected_user",
    many: "selected_users",
    initial: (element) => element.initial_users || [element.initial_user],
    pick: (option) => option.value,
  },
  conversations: {
    load: () => () => ({ options: channels({ withDms: true }) }),
    from: () => channels({ withDms: true }),
    one: "selected_conversation",
    many: "selected_conversations",
    initial: (element) => element.initial_conversations || [element.initial_conversation],
    pick: (option) => option.value,
  },
  channels: {
    load: () => () => ({ options: channels() }),
    from: () => channels(),
    one: "selected_channel",
    many: "selected_channels",
    initial: (element) => element.initial_channels || [element.initial_channel],
    pick: (option) => option.value,
  },
};

/** Slack sends options back without the page's own icon. */
const bare = (picked) =>
  picked && typeof picked === "object"
    ? Object.fromEntries(Object.entries(picked).filter(([key]) => key !== "icon"))
    : picked;

function draw(family, multi) {
  return (element, block, context) => {
    const field = multi ? family.many : family.one;
    const held = context.held(block.block_id, element.action_id)?.[field];
    const first = (held === undefined ? family.initial(element) : [held].flat()).filter(Boolean);
    const chosen = family.from ? family.from().filter((option) => first.includes(option.value)) : first;
    const fields = (options) => ({
      [field]: multi
        ? options.map((option) => bare(family.pick(option)))
        : bare(options[0] ? family.pick(options[0]) : null),
    });
    const remember = (options) =>
      context.hold(block.block_id, element.action_id, { type: element.type, ...fields(options) });
    remember(chosen);
    const control = select({
      placeholder: element.placeholder?.text,
      multi,
      max: element.max_selected_items || Infinity,
      chosen,
      local: family !== FAMILIES.external,
      minQuery: family === FAMILIES.external ? (element.min_query_length ?? 3) : 0,
      load: family.load(element, block, context),
      label: element.accessibility_label || block.label?.text,
      data: { actionId: element.action_id, blockId: block.block_id },
      onPick: (options) => {
        remember(options);
        if (context.acts(block)) dispatch(element, block, context, fields(options), control.node);
      },
    });
    return control.node;
  };
}

/** The drawing of one select type, or undefined when the type is no select. */
export function selectElement(type) {
  const parts = /^(multi_)?(static|external|users|conversations|channels)_select$/.exec(type);
  return parts ? draw(FAMILIES[parts[2]], Boolean(parts[1])) : undefined;
}
