#!/usr/bin/env node
import { run } from "../mocks/process.js";

run(process.argv.slice(2));
