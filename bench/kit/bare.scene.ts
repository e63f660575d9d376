/** What a test does, without the kit. */

import { Dock } from "dl7450";
import { beforeAll, test } from "vitest";
import { TESTS, work } from "./work.js";

let dock: Dock;

beforeAll(async () => {
  dock = await Dock.open("mock:");
  return () => dock.close();
});

test.for(TESTS)("test %i", () => work(dock));
