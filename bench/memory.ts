/** How much memory streaming a large image takes beyond what an open dock takes: bytes of resident set, on stdout. */
import { Dock } from "../src/index.js";

const [port] = process.argv.slice(2);
await using dock = await Dock.open(port);
await dock.kv.get("k");
const before = process.memoryUsage.rss();
let most = before;
for await (const _ of dock.images.stream("big")) most = Math.max(most, process.memoryUsage.rss());
process.stdout.write(String(most - before));
