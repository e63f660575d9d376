/** A new splash screen: it is shown in place of the factory's, survives a restart, and is gone after the test. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dockTest } from "dl7450/vitest";
import { expect } from "vitest";

const SPLASH = new URL("../../mocks/fixtures/stock/meeting.jpg", import.meta.url);

dockTest("a splash screen in runtime survives a restart", { timeout: 60_000 }, async ({ dock, needs }) => {
  needs("write.runtime", "restart");
  const data = await readFile(SPLASH);
  await dock.images.put("default", data, { store: "runtime", type: "jpeg" });
  await dock.restart(); // settles when the dock is back
  await expect(dock).toHaveImage("default", { data, type: "jpeg", store: "runtime" });
});

dockTest("one in ephemeral doesn't, and the one behind it shows again", { timeout: 60_000 }, async ({ dock, needs }) => {
  needs("write.ephemeral", "restart");
  const [before] = (await dock.images.list()).filter(({ tag }) => tag === "default");
  await dock.images.put("default", await readFile(SPLASH), { store: "ephemeral" });
  await expect(dock).toHaveImage("default", { store: "ephemeral" });
  await dock.restart();
  expect((await dock.images.list()).filter(({ tag }) => tag === "default")).toEqual(before === undefined ? [] : [before]);
});

dockTest("an update that is cut off leaves the splash screen that there was", async ({ dock, faults }) => {
  const data = Buffer.concat([await readFile(SPLASH), randomBytes(16)]); // an image that the dock has already isn't sent again
  await faults.add("cut:at=50000,way=toDock,back=100"); // a cable that is pulled for a moment
  await dock.images.put("default", data, { store: "runtime", type: "jpeg" }); // which goes on where it was
  await expect(dock).toHaveImage("default", { data, store: "runtime" });
  const { retries, reconnects } = dock.link.counters; // a line that is silent is tried again, one that is gone is opened again
  expect(retries + reconnects).toBeGreaterThan(0);
});
