import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.scene.ts"],
    testTimeout: 30_000,
    maxWorkers: 4,
    // As it is where the package is installed: vitest leaves what is in node_modules as it is.
    server: { deps: { external: [/\/dist\//] } },
  },
});
