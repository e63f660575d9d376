/** The same with the kit, `isolate: "none"`. */
import { dockTest } from "dl7450/vitest";
import { TESTS, work } from "./work.js";

dockTest.override({ port: "mock:", isolate: "none" });
dockTest.for(TESTS)("test %i", (_, { dock }) => work(dock));
