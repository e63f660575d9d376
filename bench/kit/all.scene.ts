import { waitingTests } from "./waiting.js";

waitingTests(1);
