/** What a dock's black box has of a failing test, for people. */
import type { DockInfo } from "../dock.js";
import type { LinkCounters } from "../link.js";
import { tracedMessage } from "../trace/message.js";
import { TraceTally } from "../trace/tally.js";
import { recordText } from "../trace/text.js";
import { printable, visible } from "../visible.js";
import { howToAllow } from "./allowed.js";
import type { BlackBox } from "./black-box.js";

/** What there is to tell of. */
export interface Told {
  readonly port: string;
  readonly info: DockInfo | undefined;
  readonly mayWrite: boolean;
  /** What was counted in the test. */
  readonly counters: LinkCounters;
  readonly box: BlackBox;
}

/** What is shown at most: records, characters of one, characters of console text. The trace has all that was kept. */
const SHOWN = { records: 40, width: 200, text: 4_000 };

/** Which dock it was and how much has passed, in a line. */
export function summaryOf({ port, info, counters, box }: Told): string {
  const { framesOut, framesIn, retries, reconnects } = counters;
  const dropped = counters.oversize + counters.cobs + counters.crc + counters.malformed + counters.unknown + counters.echo;
  const lost = box.isLost ? "; the line is lost" : "";
  const counted = `${framesOut} frames out, ${framesIn} in, ${dropped} dropped, ${retries} retries, ${reconnects} reconnects`;
  return visible(`${info?.name ?? "a dock"} (${port || "the only port"}): ${counted}${lost}`);
}

/** All of it: the dock, what its line has counted, the last frames, the last of the console text. */
export function storyOf(told: Told): string {
  const { counters, box } = told;
  const parts = [dockText(told), countersText(counters), "", "frames:", framesText(box)];
  const console = box.text
    .slice(-SHOWN.text)
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `| ${printable(line)}`); // no command of GitHub's at a line's beginning
  const story = [...parts, ...(box.text.trim() === "" ? [] : ["", "console:", ...console])].join("\n");
  return story.replaceAll("##[", "# #["); // which GitHub takes for a command anywhere
}

function dockText({ port, info, mayWrite }: Told): string {
  if (info === undefined) return visible(port);
  const { name, model, firmware, sdk, id, bootId, uptimeMs, features, stores } = info;
  const layers = stores.map(({ store, used, capacity }) => `${store} ${used} of ${capacity} bytes`).join(", ");
  return [
    `${name} (${model}, id ${id}, firmware ${firmware || "unknown"}, SDK ${sdk || "unknown"}) at ${port || "the only port"}`,
    `boot ${bootId}, up for ${uptimeMs} ms when it was opened; ${layers}`,
    `features ${features.join(", ") || "none"}`,
    ...(mayWrite ? [] : [`only read: ${howToAllow(name)}`]),
  ]
    .map(visible)
    .join("\n");
}

/** Those that say something. */
function countersText(counters: LinkCounters): string {
  const said = keysOf(counters).flatMap((key) => (counters[key] === 0 ? [] : [`${key} ${counters[key]}`]));
  return `in this test: ${said.join(", ") || "nothing passed along the line"}`;
}

function framesText(box: BlackBox): string {
  const tally = new TraceTally();
  const lines = box.records.map((record) => {
    const said = record.kind === "frame" ? tracedMessage(record.dir, record.body) : undefined;
    if (record.kind === "frame" && said?.kind === "message") tally.addMessage(record.at, said.message);
    return recordText(record, said, (id) => tally.opOf(id), SHOWN.width);
  });
  const left = box.left + Math.max(0, lines.length - SHOWN.records);
  return [...(left === 0 ? [] : [`(${left} before)`]), ...lines.slice(-SHOWN.records)].join("\n");
}

export function keysOf(counters: LinkCounters): (keyof LinkCounters)[] {
  return Object.keys(counters).filter((key): key is keyof LinkCounters => key in counters);
}
