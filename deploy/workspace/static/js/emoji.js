// Emoji names as Slack writes them. The commonest are drawn here, so that they look alike on every machine.
import { h, svg } from "./dom.js";
import { art } from "./emoji_art.js";

const GLYPHS = {
  "+1": "👍",
  "-1": "👎",
  eyes: "👀",
  tada: "🎉",
  heart: "❤️",
  white_check_mark: "✅",
  x: "❌",
  no_entry_sign: "🚫",
  heavy_minus_sign: "➖",
  game_die: "🎲",
  warning: "⚠️",
  wave: "👋",
  smile: "😄",
  rocket: "🚀",
  fire: "🔥",
  bulb: "💡",
  mag: "🔍",
  hourglass: "⌛",
  question: "❓",
  exclamation: "❗",
  clap: "👏",
  pray: "🙏",
  100: "💯",
  bug: "🐛",
  memo: "📝",
  bar_chart: "📊",
  books: "📚",
  robot_face: "🤖",
  gear: "⚙️",
  star: "⭐",
  zap: "⚡",
  lock: "🔒",
  link: "🔗",
  moneybag: "💰",
  calendar: "📅",
  speech_balloon: "💬",
  thinking_face: "🤔",
  joy: "😂",
  slightly_smiling_face: "🙂",
  grinning: "😀",
  blush: "😊",
  sob: "😭",
  cry: "😢",
  sunglasses: "😎",
  raised_hands: "🙌",
  muscle: "💪",
  ok_hand: "👌",
  point_right: "👉",
  point_up: "☝️",
  arrow_right: "➡️",
  arrow_up: "⬆️",
  arrow_down: "⬇️",
  heavy_check_mark: "✔️",
  heavy_plus_sign: "➕",
  no_entry: "⛔",
  stop_sign: "🛑",
  red_circle: "🔴",
  large_green_circle: "🟢",
  large_yellow_circle: "🟡",
  large_blue_circle: "🔵",
  white_circle: "⚪",
  black_circle: "⚫",
  file_folder: "📁",
  clipboard: "📋",
  pushpin: "📌",
  bell: "🔔",
  key: "🔑",
  hammer_and_wrench: "🛠️",
  wrench: "🔧",
  package: "📦",
  chart_with_upwards_trend: "📈",
  chart_with_downwards_trend: "📉",
  dart: "🎯",
  sparkles: "✨",
  brain: "🧠",
  open_book: "📖",
  page_facing_up: "📄",
  inbox_tray: "📥",
  outbox_tray: "📤",
  email: "📧",
  computer: "💻",
  coffee: "☕",
  pizza: "🍕",
  cake: "🍰",
  sunny: "☀️",
  cloud: "☁️",
  globe_with_meridians: "🌐",
  information_source: "ℹ️",
  information_desk_person: "💁",
  shrug: "🤷",
  facepalm: "🤦",
  snail: "🐌",
  ghost: "👻",
  seedling: "🌱",
  repeat: "🔁",
  arrows_counterclockwise: "🔄",
  stopwatch: "⏱️",
  alarm_clock: "⏰",
  label: "🏷️",
  scroll: "📜",
  dollar: "💵",
  abacus: "🧮",
  balance_scale: "⚖️",
  compass: "🧭",
  mailbox: "📫",
  handshake: "🤝",
  nerd_face: "🤓",
  see_no_evil: "🙈",
  heart_eyes: "😍",
  wink: "😉",
};
const ALIASES = {
  thumbsup: "+1",
  thumbsdown: "-1",
  thumbs_up: "+1",
  thumbs_down: "-1",
  check: "white_check_mark",
  magnifying_glass: "mag",
  hourglass_flowing_sand: "hourglass",
  grey_question: "question",
  heavy_exclamation_mark: "exclamation",
  robot: "robot_face",
  money_bag: "moneybag",
  spiral_calendar_pad: "calendar",
  date: "calendar",
  thinking: "thinking_face",
  light_bulb: "bulb",
  satisfied: "smile",
  laughing: "smile",
  red_heart: "heart",
};
const BY_GLYPH = new Map(Object.entries(GLYPHS).map(([name, glyph]) => [glyph.replace("\uFE0F", ""), name]));
const GLYPH_RUN =
  /\p{Extended_Pictographic}\uFE0F?(?:\u200D\p{Extended_Pictographic}\uFE0F?|[\u{1F3FB}-\u{1F3FF}])*/gu;

/** The name without its skin tone and by its one spelling. */
function canonical(name) {
  const plain = name.split("::")[0];
  return ALIASES[plain] || plain;
}

export function knows(name) {
  return canonical(name) in GLYPHS;
}

let canvas = null;
const drawable = new Map();

/** Whether this machine has a picture for the character, rather than an empty box. */
function hasGlyph(glyph) {
  if (drawable.has(glyph)) return drawable.get(glyph);
  canvas ||= Object.assign(document.createElement("canvas"), { width: 24, height: 24 }).getContext("2d", {
    willReadFrequently: true,
  });
  canvas.font = "18px sans-serif";
  const pixels = (text) => {
    canvas.clearRect(0, 0, 24, 24);
    canvas.fillText(text, 0, 18);
    return canvas.getImageData(0, 0, 24, 24).data.join();
  };
  const answer = pixels(glyph) !== pixels("\u{10FFFD}");
  drawable.set(glyph, answer);
  return answer;
}

export function emoji(name, { big = false } = {}) {
  const known = canonical(name);
  const shapes = art[known];
  const title = `:${known}:`;
  if (shapes) {
    return svg(
      "svg",
      { viewBox: "0 0 24 24", class: `emoji${big ? " emoji-big" : ""}`, role: "img", "aria-label": title },
      svg("title", {}, title),
      shapes.map(([tag, props]) => svg(tag, props)),
    );
  }
  if (GLYPHS[known] && hasGlyph(GLYPHS[known]))
    return h(
      "span",
      { class: `emoji-glyph${big ? " emoji-big" : ""}`, role: "img", "aria-label": title, title },
      GLYPHS[known],
    );
  return document.createTextNode(title);
}

/** Text whose emoji characters are drawn where a drawing exists. */
export function withEmoji(text) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(GLYPH_RUN)) {
    const name = BY_GLYPH.get(match[0].replace("\uFE0F", ""));
    if (!name || !art[name]) continue;
    out.push(text.slice(last, match.index), emoji(name));
    last = match.index + match[0].length;
  }
  out.push(text.slice(last));
  return out;
}

/** The names that this machine can show as pictures. */
export const shownEmoji = () => Object.keys(GLYPHS).filter((name) => art[name] || hasGlyph(GLYPHS[name]));
