import { expect, test } from "vitest";
import { coloursOf, wayNamed } from "./terminal.js";

test.each([
  ["kitty", { TERM: "xterm-kitty", KITTY_WINDOW_ID: "1" }, "kitty"],
  ["kitty with another TERM", { TERM: "xterm-256color", KITTY_WINDOW_ID: "1" }, "kitty"],
  ["kitty over ssh", { TERM: "xterm-kitty" }, "kitty"],
  ["kitty that was started in another terminal", { TERM: "xterm-kitty", TERM_PROGRAM: "Apple_Terminal" }, "kitty"],
  ["another terminal that was started in kitty", { KITTY_WINDOW_ID: "1", TERM_PROGRAM: "vscode" }, "ask"],
  ["Ghostty", { TERM: "xterm-ghostty", TERM_PROGRAM: "ghostty" }, "kitty"],
  ["Ghostty with another TERM", { TERM: "xterm-256color", TERM_PROGRAM: "ghostty" }, "kitty"],
  ["iTerm2", { TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }, "iterm2"],
  ["iTerm2 over ssh", { TERM: "xterm-256color", LC_TERMINAL: "iTerm2" }, "iterm2"],
  ["WezTerm", { TERM: "xterm-256color", TERM_PROGRAM: "WezTerm" }, "iterm2"],
  ["tmux in kitty", { TERM: "tmux-256color", TMUX: "/tmp/tmux", KITTY_WINDOW_ID: "1" }, "blocks"],
  ["tmux with another TERM", { TERM: "xterm-kitty", TMUX: "/tmp/tmux" }, "blocks"],
  ["tmux over ssh", { TERM: "tmux-256color", LC_TERMINAL: "iTerm2" }, "blocks"],
  ["screen", { TERM: "xterm", STY: "1.pts" }, "blocks"],
  ["screen over ssh", { TERM: "screen.xterm-256color" }, "blocks"],
  ["a terminal that can nothing", { TERM: "dumb", KITTY_WINDOW_ID: "1" }, "blocks"],
  ["any other", { TERM: "xterm-256color" }, "ask"],
  ["an unknown program", { TERM_PROGRAM: "__proto__" }, "ask"],
  ["nothing", {}, "ask"],
])("%s", (_name, env, way) => {
  expect(wayNamed(env)).toBe(way);
});

test.each([
  [{ COLORTERM: "truecolor" }, "24 bits"],
  [{ COLORTERM: "24bit" }, "24 bits"],
  [{ COLORTERM: "yes" }, "256"],
  [{}, "256"],
  [{ COLORTERM: "truecolor", NO_COLOR: "1" }, "none"],
  [{ COLORTERM: "truecolor", NO_COLOR: "" }, "24 bits"],
  [{ COLORTERM: "truecolor", TERM: "dumb" }, "none"],
])("colours of %j", (env, colours) => {
  expect(coloursOf(env)).toBe(colours);
});
