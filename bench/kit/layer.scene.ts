/** The same with the kit, `isolate: "layer"`. */
import { dockTest } from "dl7450/vitest";
import { TESTS, work } from "./work.js";

dockTest.override({ port: "mock:", isolate: "layer" });
dockTest.for(TESTS)("test %i", (_, { dock }) => work(dock));
