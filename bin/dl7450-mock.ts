#!/usr/bin/env node
import { run } from "../mocks/process.js";

await run(process.argv.slice(2));
