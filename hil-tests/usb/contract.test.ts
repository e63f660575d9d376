/** The contract on a real USB serial port, and two docks at once. Runs in the VM of `vm.sh`, by `npm run test:usb`. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Dock } from "../../src/index.js";
import { contractTest } from "../contract/contract-test.js";
import { contract } from "../contract.js";
import { cable, cables, LARGE, OPENING, serveDocks, TIMEOUT } from "./docks.js";

serveDocks();
process.env.DL7450_ALLOW_WRITE = "Dock 0,Dock 1";

describe("a dock on a USB serial port", { timeout: TIMEOUT }, () => {
  contractTest.override({ port: `id:${cable.serialNumber}`, opening: OPENING });
  contract();
});

describe("two docks at once", { timeout: TIMEOUT }, () => {
  contractTest.override({ ports: cables.map(({ serialNumber }) => `id:${serialNumber}`), opening: OPENING });

  contractTest("are told apart by their serial numbers, and neither disturbs the other", async ({ docks }) => {
    const [first, second] = docks;
    expect(await Promise.all(docks.map(async (dock) => (await dock.info()).name))).toEqual(["Dock 0", "Dock 1"]);
    const image = randomBytes(LARGE);
    await first.images.put("both", image, { store: "ephemeral", type: "none" });
    const [kept, stock] = await Promise.all([first.images.get("both"), second?.images.get("meeting")]);
    expect(Buffer.compare(kept.data, image)).toBe(0);
    expect(stock?.data).toHaveLength(238_514);
  });

  test("without a name it is SEVERAL_DOCKS, which names both", async () => {
    const candidates = await Promise.all(cables.map(async (it) => `${await it.hostEnd()} (id:${it.serialNumber})`));
    await expect(Dock.open()).rejects.toMatchObject({ code: "SEVERAL_DOCKS", details: { candidates: candidates.sort() } });
  });
});
