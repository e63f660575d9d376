import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: { include: ["*.scene.ts"], testTimeout: 3_000, maxWorkers: "100%" },
});
