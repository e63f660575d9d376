import { defineConfig } from "vitest/config";
import { TAGS } from "./hil-tests/contract/tags.js";

/** Runs of vitest within tests. */
const KIT = ["hil-tests/kit/*.test.ts", "hil-tests/cli/conformance.test.ts"];
/** As a user has it: they use the package as it was built. */
const USER = ["hil-tests/examples/*.test.ts", "hil-tests/readme.test.ts"];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    tags: [...TAGS],
    // Unless told, vitest leaves one core to itself, which is half of a small machine.
    maxWorkers: "100%",
    projects: [
      // Modules have no state of their own, so that files can share them: loading them for each takes longer than the tests.
      { extends: true, test: { name: "unit", isolate: false, include: ["{src,protocol,mocks,snapshot}/**/*.test.ts"] } },
      { extends: true, test: { name: "hil", include: ["hil-tests/{,cli/}*.test.ts"], exclude: [...KIT, ...USER] } },
      // By `npm run test:micropython`, and by `npm run test:hil`.
      { extends: true, test: { name: "micropython", include: ["hil-tests/micropython/*.test.ts"] } },
      // By `npm run test:kit`.
      { extends: true, test: { name: "kit", include: KIT } },
      {
        extends: true,
        test: {
          name: "examples",
          include: USER,
          env: { DL7450_PORT: process.env.DL7450_PORT ?? "mock:" },
        },
      },
      // In a VM, by `npm run test:usb`.
      { extends: true, test: { name: "usb", include: ["hil-tests/usb/*.test.ts"] } },
    ],
  },
});
