/** The contract on the dock that `dl7450 conformance` names. The command runs this file, and hands over by the environment what it needs. */
import type { OpenOptions } from "../src/index.js";
import { contractTest } from "./contract/contract-test.js";
import { contract } from "./contract.js";

/** How the command was told to open the dock: its own, as JSON. */
const opening: OpenOptions = JSON.parse(process.env.DL7450_OPENING ?? "{}");

// Ctrl-C reaches this process as well, whose test is to end first and to leave the dock as it was. The command ends it.
process.on("SIGINT", () => {});

contractTest.override({ opening });
contract();
