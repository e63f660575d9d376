#!/usr/bin/env node
import { interruption } from "../src/cli/interruption.js";
import { main } from "../src/cli/main.js";
import { contextOf } from "../src/cli/process-context.js";

const signal = interruption(process);
process.exitCode = await main(process.argv.slice(2), contextOf(process, signal));
// Everything is closed. What an interrupted command was writing may wait for a reader that never reads, and isn't waited for.
if (signal.aborted) process.exit();
