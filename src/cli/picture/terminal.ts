/** What a terminal can draw, as far as its environment tells. */

/** How a picture gets into a terminal. */
export type Way = "kitty" | "iterm2" | "sixel" | "blocks";

/** Which colours there are for characters. */
export type Colours = "24 bits" | "256" | "none";

type Env = Readonly<Record<string, string | undefined>>;

/** The way that the environment names, or "ask" when only the terminal itself knows. */
export function wayNamed(env: Env): Way | "ask" {
  const { TERM = "", TERM_PROGRAM, LC_TERMINAL } = env;
  // They keep what they don't know to themselves. Over ssh only TERM tells of them.
  if (env.TMUX || env.STY || /^(tmux|screen)/.test(TERM)) return "blocks";
  if (TERM === "dumb") return "blocks";
  if (TERM === "xterm-kitty" || TERM === "xterm-ghostty") return "kitty";
  // Before what a program hands down to the terminals that are started in it.
  if (TERM_PROGRAM) return PROGRAMS.get(TERM_PROGRAM) ?? "ask";
  if (env.KITTY_WINDOW_ID) return "kitty";
  return LC_TERMINAL === "iTerm2" ? "iterm2" : "ask";
}

/** By TERM_PROGRAM. */
const PROGRAMS = new Map<string, Way>([
  ["iTerm.app", "iterm2"],
  ["WezTerm", "iterm2"],
  ["ghostty", "kitty"],
]);

/** NO_COLOR as https://no-color.org has it: any text in it. */
export function coloursOf({ NO_COLOR, TERM, COLORTERM }: Env): Colours {
  if (NO_COLOR || TERM === "dumb") return "none";
  return COLORTERM === "truecolor" || COLORTERM === "24bit" ? "24 bits" : "256";
}
