/** Rules of the agent for real docks about what changes a dock, where the firmware can: writes, uploads, and who else writes. */
import { describe, test } from "vitest";
import { expectHolds } from "./testing/python-host.js";

describe("a write", () => {
  test("is answered from memory for the last 64 of them, also to a host that comes back", () =>
    expectHolds(
      "announced",
      `
is_equal("resumed" in hello(b"1", session=b"s" * 8), False)
asked = [[REQUEST, i, "kv.set", {"key": "a", "value": i, "store": "runtime"}] for i in range(1, 65)]
before = [told(it) for it in asked]
answer(100, "kv.get", key="a")
is_equal([told(it) for it in asked], before)
is_equal(hello(b"2", session=b"s" * 8)["resumed"], True)
is_equal([told(it) for it in asked], before)
is_equal(answer(101, "kv.get", key="a")["value"], 64)
is_equal("resumed" in hello(b"3", session=b"t" * 8), False)
is_equal(told(asked[0])[0][2]["generation"], before[-1][0][2]["generation"] + 1)
`,
    ));

  test("that was cancelled before it arrives isn't carried out, whatever reads are cancelled meanwhile", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
told([CANCEL, 7])
for number in range(100, 250):
    told([REQUEST, number, "image.get", {"tag": "a", "credit": 0}], [CANCEL, number])
is_equal(answer(7, "kv.set", key="a", value=1, store="runtime")["code"], "CANCELLED")
`,
    ));

  test("isn't resumed where the host may not know that what came before is forgotten", () =>
    expectHolds(
      "announced",
      `
is_equal(["resumed" in hello(nonce, session=b"s" * 8) for nonce in (b"1", b"2", b"3")], [False, False, False])
answer(1, "kv.get", key="a")
is_equal(["resumed" in hello(nonce, session=b"s" * 8) for nonce in (b"4", b"5")], [True, True])
is_equal(["resumed" in hello(nonce, session=b"t" * 8) for nonce in (b"6", b"7")], [False, False])
`,
    ));

  test("that is cancelled before it arrives isn't carried out", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
is_equal(finals(told([CANCEL, 7])), [(7, "CANCELLED")])
is_equal(answer(7, "kv.set", key="a", value=1, store="runtime")["code"], "CANCELLED")
is_equal(answer(8, "kv.get", key="a"), {"found": False})
`,
    ));

  test("for which there is no room, or no memory, is NO_SPACE, and changes nothing", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
runtime = agent.layers[0]
class Full:
    def __init__(self, store, error): self.store, self.error = store, error
    def list(self): return self.store.list()
    def get(self, name): return self.store.get(name)
    def set(self, key, value): raise self.error
keys, generation = runtime.keys, runtime.generation
for number, (error, code) in enumerate(((OSError(28), "NO_SPACE"), (MemoryError(), "NO_SPACE"), (OSError(5), "INTERNAL"))):
    runtime.keys = Full(keys, error)
    is_equal(answer(1 + number, "kv.set", key="a", value=1, store="runtime")["code"], code)
runtime.keys = keys
def no_memory(size): raise MemoryError()
agent.allocate = no_memory
put = {"tag": "i", "type": "none", "size": 9, "sha256": b"x" * 32, "store": "runtime"}
is_equal(answer(9, "image.put", **put)["code"], "NO_SPACE")
is_equal(runtime.generation, generation)
is_equal(answer(10, "kv.get", key="a"), {"found": False})
`,
    ));

  test("whose answer there is no memory for isn't made", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
whole = datastore_agent.encode
def without_memory(item):
    if isinstance(item, tuple) and item[0] == RESULT: raise MemoryError()
    return whole(item)
datastore_agent.encode = without_memory
is_equal(answer(1, "kv.set", key="a", value=1, store="runtime")["code"], "NO_SPACE")
datastore_agent.encode = whole
is_equal(answer(1, "kv.set", key="a", value=1, store="runtime")["code"], "NO_SPACE")
is_equal(answer(2, "kv.get", key="a"), {"found": False})
`,
    ));

  test("that fails is remembered as that", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
runtime = agent.layers[0]
class Broken:
    def __init__(self, store): self.store = store
    def list(self): return self.store.list()
    def get(self, key): return self.store.get(key)
    def set(self, key, value): raise OSError(5)
keys = runtime.keys
runtime.keys = Broken(keys)
before = answer(1, "kv.set", key="a", value=1, store="runtime")
is_equal(before["code"], "INTERNAL")
runtime.keys = keys
is_equal(answer(1, "kv.set", key="a", value=1, store="runtime"), before)
is_equal(finals(told([CANCEL, 1])), [(1, "INTERNAL")])
is_equal(answer(2, "kv.get", key="a"), {"found": False})
`,
    ));

  test("of an image counts what other uploads will need", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
agent.allocate = lambda size: bytearray(0)
half = {"tag": "i", "type": "none", "size": 7000000, "sha256": b"x" * 32, "store": "runtime"}
is_equal(told([REQUEST, 1, "image.put", half])[0][0], RESEND)
failure = answer(2, "image.put", **dict(half, sha256=b"y" * 32))
is_equal((failure["code"], failure["free"]), ("NO_SPACE", CAPACITY - 7000001))
`,
    ));

  test("of somebody else, while it is counted what there is, is counted as well", () =>
    expectHolds(
      "announced",
      `
from datastore import APPLICATION_DATA, ImageStore
mine = ImageStore(APPLICATION_DATA)
for i in range(9): mine.put(str(i), b"nine byte", 0)
hello(b"1")
for number, steps in ((1, 5), (2, 15)):  # as the first layer is counted, and as the second is
    agent.forget()
    line.inbox = bytes(host.frame(encode([REQUEST, number, "dock.info", {}])))
    for _ in range(steps): agent.step()
    assert agent.session.jobs
    is_equal(agent.layers[0].used is None, number == 1)
    mine.put("a" + str(number), b"nine byte", 0)
    agent.forget()
    is_equal([it["used"] for it in told()[0][2]["stores"]], [90 + 11 * number, 26 * 10001 + 8 + 4])
`,
    ));

  test("tells how much room there is", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
put = {"tag": "i", "type": "none", "size": CAPACITY, "sha256": b"x" * 32, "store": "runtime"}
failure = answer(1, "image.put", **put)
is_equal((failure["code"], failure["store"], failure["free"]), ("NO_SPACE", "runtime", CAPACITY))
is_equal(answer(2, "image.put", **dict(put, size=CAPACITY + 1))["limit"], CAPACITY)
`,
    ));
});

/** An upload of `content`, in pieces, with what the agent allocates for it counted. */
const UPLOAD = `
allocated = []
def allocate(size):
    allocated.append(bytearray(size))
    return allocated[-1]
agent = Agent(line, line, allocate=allocate, release=lambda data: allocated.remove(data))
content = bytes(i % 251 for i in range(20000))
sha256 = hashlib.sha256(content).digest()
def put(number, tag="i", kind="none", it=None):
    it = content if it is None else it
    params = {"tag": tag, "type": kind, "size": len(it), "sha256": hashlib.sha256(it).digest(), "store": "runtime"}
    return told([REQUEST, number, "image.put", params])
def data(number, begin, end):
    return told(*[[HOST_DATA, number, at, content[at:min(end, at + 4000)]] for at in range(begin, end, 4000)])
hello(b"1")
`;

describe("an upload", () => {
  test("asks for a gap once, and again when it is lost again", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
is_equal(put(1), [[RESEND, 1, 0, 0, 20000]])
is_equal(data(1, 0, 4000), [])
is_equal(data(1, 8000, 12000), [[RESEND, 1, 4000, U32, 20000]])
is_equal(data(1, 12000, 16000), [])
is_equal(data(1, 0, 4000), [])
is_equal(data(1, 8000, 12000), [[RESEND, 1, 4000, U32, 20000]])
is_equal(put(1), [[RESEND, 1, 4000, 4000, 20000]])
is_equal(data(1, 8000, 12000), [[RESEND, 1, 4000, U32, 20000]])
for at in range(4000, 16000, 4000): is_equal(data(1, at, at + 4000), [])
is_equal(finals(data(1, 16000, 20000)), [(1, "")])
is_equal(bytes(agent.layers[0].images.get("i")[0]), content)
is_equal(allocated, [])
`,
    ));

  test("gives credit as it takes", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
content = bytes(i % 251 for i in range(100000))
is_equal(put(1), [[RESEND, 1, 0, 0, 32768]])
is_equal(data(1, 0, 8000), [])
is_equal(data(1, 8000, 8192), [[CREDIT, 1, 40960]])
`,
    ));

  test.for([
    ["beyond its size", "data(1, 0, 4000) + told([HOST_DATA, 1, 19999, b'xy'])"],
    ["beyond its credit", "told([HOST_DATA, 1, 40000, b'x'])"],
  ])("with data %s ends with INVALID, and nothing is kept", ([, acts]) =>
    expectHolds(
      "announced",
      `${UPLOAD}
put(1)
is_equal(finals(${acts}), [(1, "INVALID")])
is_equal(allocated, [])
is_equal(data(1, 0, 4000), [])
is_equal(put(2), [[RESEND, 2, 0, 0, 20000]])
`,
    ),
  );

  test.for([
    ["is cancelled", "is_equal(finals(told([CANCEL, 1])), [(1, 'CANCELLED')])"],
    ["loses its session", "hello(b'2')"],
  ])("that %s is kept, and goes on from there", ([, breaksOff]) =>
    expectHolds(
      "announced",
      `${UPLOAD}
put(1)
data(1, 0, 12000)
${breaksOff}
is_equal(len(allocated), 1)
is_equal(put(2), [[RESEND, 2, 12000, 12000, 20000]])
is_equal(finals(data(2, 12000, 20000)), [(2, "")])
is_equal(bytes(agent.layers[0].images.get("i")[0]), content)
is_equal(allocated, [])
`,
    ),
  );

  test("that breaks off is kept beside others, the newest four that have begun", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
def content_of(number): return bytes((number,)) * 5000
for number in range(1, 7):
    put(number, it=content_of(number))
    told([HOST_DATA, number, 0, content_of(number)[:100 * number]], [CANCEL, number])
put(10, it=b"none of this came")
told([CANCEL, 10])
is_equal(len(allocated), 4)
for number in range(1, 7):
    is_equal(put(20 + number, it=content_of(number))[0][2], 100 * number if number > 2 else 0)
    told([CANCEL, 20 + number])
is_equal(len(allocated), 4)
`,
    ));

  test("for which there is no memory takes that of those that broke off", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
put(1)
data(1, 0, 4000)
told([CANCEL, 1])
plenty = agent.allocate
def little(size):
    if allocated: raise MemoryError()
    return plenty(size)
agent.allocate = little
is_equal(put(2, it=b"another")[0][0], RESEND)
is_equal(len(allocated), 1)
is_equal(finals(put(3, it=b"a third")), [(3, "NO_SPACE")])
`,
    ));

  test("that there is no memory to open is NO_SPACE, and nothing of it stays", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
class Full(list):
    def append(self, number): raise MemoryError()
agent.session.order = Full()
is_equal(finals(put(1)), [(1, "NO_SPACE")])
is_equal((agent.session.streams, allocated), ({}, []))
`,
    ));

  test("that isn't what was announced is INTEGRITY, and nothing is written", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
put(1)
is_equal(finals(told([HOST_DATA, 1, 0, b"x" * 4000]) + data(1, 4000, 20000)), [(1, "INTEGRITY")])
is_equal(agent.layers[0].images.list(), [])
is_equal(allocated, [])
`,
    ));

  test("of what is in the dock already, in any layer, is done at once", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
is_equal(finals(put(1, "again", it=b"c" * 10000)), [(1, "")])
is_equal(bytes(agent.layers[0].images.get("again")[0]), b"c" * 10000)
`,
    ));

  test("of what is no such image is INVALID", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
for number, (kind, begin) in enumerate((("png", b"PNG"), ("jpeg", b"\\xff\\xd8\\x00"), ("bmp", b"BM" + bytes(30)))):
    content = begin + bytes(20)
    put(1 + number, "i", kind)
    is_equal(finals(data(1 + number, 0, len(content))), [(1 + number, "INVALID")])
content = b"BM" + bytes(12) + bytes((40, 0, 0))  # a byte too short
put(8, "i", "bmp")
is_equal(finals(data(8, 0, len(content))), [(8, "INVALID")])
content = b"BM" + bytes(12) + bytes((40, 0, 0, 0)) + bytes(20)
put(9, "i", "bmp")
is_equal(finals(data(9, 0, len(content))), [(9, "")])
`,
    ));
});

describe("an application that writes by itself", () => {
  test("says so, and lists, sizes and tokens are those of what is there now", () =>
    expectHolds(
      "announced",
      `
from datastore import APPLICATION_DATA, ImageStore
hello(b"1")
mine = ImageStore(APPLICATION_DATA)
mine.put("i", b"first", 0)
is_equal(answer(1, "image.list", store="runtime")["entries"], [["i", "none", 5, "runtime"]])
token = answer(2, "image.token", tag="i")["token"]
mine.put("i", b"the second", 0)
agent.forget()
is_equal(answer(3, "image.list", store="runtime")["entries"], [["i", "none", 10, "runtime"]])
is_equal(answer(4, "image.get", token=token, credit=100)["code"], "STALE")
is_equal([it["used"] for it in answer(5, "dock.info")["stores"] if it["store"] == "runtime"], [11])
`,
    ));

  test("in the middle of an upload doesn't end it", () =>
    expectHolds(
      "announced",
      `${UPLOAD}
put(1)
data(1, 0, 12000)
agent.forget()
is_equal(finals(data(1, 12000, 20000)), [(1, "")])
is_equal([it["used"] for it in answer(2, "dock.info")["stores"] if it["store"] == "runtime"], [20001])
`,
    ));

  test("meanwhile ends a list with STALE", () =>
    expectHolds(
      "announced",
      `
hello(b"1")
for i in range(100): agent.layers[0].keys.set("a key that has a long name, number " + str(i), i)
agent.forget()
page = answer(1, "kv.list")
assert "cursor" in page
is_equal(answer(2, "kv.list", cursor=page["cursor"])["generation"], page["generation"])
agent.forget()
is_equal(answer(3, "kv.list", cursor=page["cursor"])["code"], "STALE")
for cursor in (b"x", b"\\xff" * 192, bytes(encode((1, 2, 3))), bytes(encode("ab"))):
    is_equal(answer(4, "kv.list", cursor=cursor)["code"], "STALE")
`,
    ));
});

describe("requests at once", () => {
  const IMAGES = `
runtime = agent.layers[0]
for i in range(8): runtime.images.put("t" + str(i), b"x" * 10, 0)
hello(b"1")
def put(tag, content): return {"tag": tag, "type": "none", "size": len(content), "sha256": hashlib.sha256(content).digest(), "store": "runtime"}
`;

  test("a token never stands for what has replaced its image while it was looked for", () =>
    expectHolds(
      "announced",
      `${IMAGES}
answer(90, "dock.info")
tag = runtime.tags()[0]
token = answer(1, "image.token", tag=tag)["token"]
told([REQUEST, 3, "image.put", put(tag, b"new" * 5)])
said = told([REQUEST, 4, "image.get", {"token": token, "credit": 3000}], [HOST_DATA, 3, 0, b"new" * 5])
assert b"".join(it[3] for it in said if it[0] == DATA) in (b"", b"x" * 10), said
`,
    ));

  test("what is counted, or looked through for a content, may be deleted meanwhile", () =>
    expectHolds(
      "announced",
      `${IMAGES}
last = runtime.tags()[-1]
line.inbox = bytes(host.frame(encode([REQUEST, 1, "image.delete", {"tag": last, "store": "runtime"}])))
for _ in range(4): agent.step()
is_equal(finals(told([REQUEST, 2, "dock.info", {}])), [(1, ""), (2, "")])
last = runtime.tags()[-1]
said = told([REQUEST, 3, "image.put", put("new", b"12345")], [REQUEST, 4, "image.delete", {"tag": last, "store": "runtime"}])
is_equal(sorted(it[0] for it in said), [RESULT, RESEND])
`,
    ));

  test("putting what a tag has already is no change, though another tag has it, too", () =>
    expectHolds(
      "announced",
      `${IMAGES}
last = runtime.tags()[-1]
token = answer(1, "image.token", tag=last)["token"]
generation = answer(2, "image.list", store="runtime")["generation"]
is_equal(answer(3, "image.put", **put(last, b"x" * 10)), {"generation": generation, "existed": True})
is_equal(told([REQUEST, 4, "image.get", {"token": token, "credit": 0}])[0][0], HEAD)
`,
    ));

  test("what is there under another tag has no room that another upload will need", () =>
    expectHolds(
      "announced",
      `${IMAGES}
agent.allocate = lambda size: bytearray(0)
big = dict(put("big", b""), size=CAPACITY - 5000, sha256=b"x" * 32)
is_equal(told([REQUEST, 1, "image.put", big])[0][0], RESEND)
is_equal(answer(2, "image.put", **put("j", b"a" * 10000))["code"], "NO_SPACE")
`,
    ));

  test("a write that there was no memory to read isn't carried out when it comes again", () =>
    expectHolds(
      "announced",
      `${IMAGES}
asked = [REQUEST, 1, "kv.set", {"key": "a", "value": 1, "store": "runtime"}]
whole = Reader.whole
def without_memory(self): raise MemoryError()
Reader.whole = without_memory
line.inbox = bytes(host.frame(encode(asked)))
for _ in range(20): agent.poll()
Reader.whole = whole
first = told()
is_equal(finals(first), [(1, "TOO_LARGE")])
is_equal(told(asked), first)
is_equal(runtime.keys.list(), [])
`,
    ));

  test("a transaction that there isn't is told of after what is too long", () =>
    expectHolds(
      "announced",
      `${IMAGES}
is_equal(answer(1, "kv.set", key="k" * 256, value=1, store="runtime", txn=1)["code"], "TOO_LARGE")
is_equal(answer(2, "kv.set", key="k", value=1, store="runtime", txn=1)["code"], "STALE")
is_equal(answer(3, "image.delete", tag="t1", store="runtime", txn=1)["code"], "STALE")
is_equal(runtime.keys.list(), [])
`,
    ));
});
