#!/usr/bin/env node
import { interruption } from "../src/cli/interruption.js";
import { isCompletion, main } from "../src/cli/main.js";
import { contextOf } from "../src/cli/process-context.js";

const signal = interruption(process);
const argv = process.argv.slice(2);
process.exitCode = await main(argv, contextOf(process, signal));
// Everything is closed. What an interrupted command was writing may wait for a reader that never reads, and isn't waited for.
// Nor is a dock that was too slow for whoever has pressed TAB.
if (signal.aborted || isCompletion(argv)) process.exit();
