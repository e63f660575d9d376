#!/usr/bin/env node
import { interruption } from "../src/cli/interruption.js";
import { main } from "../src/cli/main.js";
import { systemClock } from "../src/clock.js";
import { findPorts } from "../src/discovery.js";
import { watchPorts } from "../src/port-watch.js";

const { stdout, stderr, env } = process;
const signal = interruption(process);
const context = { stdout, stderr, env, signal, clock: systemClock, findPorts, watchPorts };
process.exitCode = await main(process.argv.slice(2), context);
// Everything is closed. What an interrupted command was writing may wait for a reader that never reads, and isn't waited for.
if (signal.aborted) process.exit();
