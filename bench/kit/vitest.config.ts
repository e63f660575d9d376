import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: { include: ["*.scene.ts"], testTimeout: 30_000, maxWorkers: 4 },
});
