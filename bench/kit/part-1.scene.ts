import { waitingTests } from "./waiting.js";

waitingTests(4);
