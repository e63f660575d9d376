#!/usr/bin/env node
import { asker } from "../src/cli/ask.js";
import { interruption } from "../src/cli/interruption.js";
import { main } from "../src/cli/main.js";
import { settingsFiles } from "../src/cli/settings-files.js";
import { systemClock } from "../src/clock.js";
import { findPorts } from "../src/discovery.js";
import { watchPorts } from "../src/port-watch.js";

const { stdout, stderr, env } = process;
const stdin = () => process.stdin;
const signal = interruption(process);
const context = {
  stdin,
  ask: asker(process),
  stdout,
  stderr,
  env,
  settingsFiles,
  signal,
  clock: systemClock,
  findPorts,
  watchPorts,
};
process.exitCode = await main(process.argv.slice(2), context);
// Everything is closed. What an interrupted command was writing may wait for a reader that never reads, and isn't waited for.
if (signal.aborted) process.exit();
