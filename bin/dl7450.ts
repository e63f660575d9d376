#!/usr/bin/env node
import { interruption } from "../src/cli/interruption.js";
import { main } from "../src/cli/main.js";
import { systemClock } from "../src/clock.js";
import { listPorts } from "../src/discovery.js";

const { stdout, stderr, env } = process;
const signal = interruption(process);
process.exitCode = await main(process.argv.slice(2), { stdout, stderr, env, signal, clock: systemClock, listPorts });
// Everything is closed. What an interrupted command was writing may wait for a reader that never reads, and isn't waited for.
if (signal.aborted) process.exit();
