/** Rules of the agent for real docks that a driver on its line doesn't meet, or not when it wants to. */
import { describe, test } from "vitest";
import { expectHolds } from "./testing/python-host.js";

describe("the agent", () => {
  test("takes as many requests as it says beside streams that are through", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
get = {"tag": "a", "credit": 10000}
is_equal(finals(told(*[[REQUEST, i, "image.get", get] for i in range(1, 5)])), [(i, "") for i in range(1, 5)])
is_equal(finals(told(*[[REQUEST, i, "dock.info", {}] for i in range(11, 27)])), [(i, "") for i in range(11, 27)])
lists = [[REQUEST, i, "image.list", {}] for i in range(31, 50)]
said = finals(told(*lists, [REQUEST, 50, "kv.get", {"key": "x" * 256}], [REQUEST, 51, "kv.get", {"key": "timezone"}]))
is_equal([it for it in said if it[1] != "BUSY"], [(i, "") for i in range(31, 47)] + [(50, "TOO_LARGE"), (51, "")])
`,
    ));

  test("answers for a datastore that fails, or has no memory, and goes on", () =>
    expectHolds(
      "preview",
      `
class Failing:
    def __init__(self, error): self.error = error
    def list(self): return ["a"]
    def get(self, tag): raise self.error
hello(b"1")
factory = agent.layers[0]
stock, get = factory.images, {"tag": "a", "credit": 10000}
factory.images = Failing(MemoryError())
is_equal(finals(told([REQUEST, 1, "image.get", get])), [(1, "TOO_LARGE")])
factory.images = Failing(OSError(5))
is_equal(finals(told([REQUEST, 2, "image.get", get])), [(2, "INTERNAL")])
factory.images = stock
is_equal(finals(told([REQUEST, 3, "image.get", get])), [(3, "")])
`,
    ));

  test("answers for a request that there is no memory to read, and goes on", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
whole = Reader.whole
def without_memory(self): raise MemoryError()
Reader.whole = without_memory
line.inbox = bytes(host.frame(encode([REQUEST, 1, "kv.get", {"key": "timezone"}])))
for _ in range(20): agent.poll()
Reader.whole = whole
is_equal(finals(told()), [(1, "TOO_LARGE")])
is_equal(answer(2, "kv.get", key="timezone")["value"], "GMT")
`,
    ));

  test("whose line is broken ends its session, and serves the next", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
line.fails = True
is_equal(told([REQUEST, 1, "dock.info", {}]), [])
line.fails = False
is_equal(finals(told([REQUEST, 2, "dock.info", {}])), [(2, "NO_SESSION")])
hello(b"2")
is_equal(finals(told([REQUEST, 3, "dock.info", {}])), [(3, "")])
`,
    ));

  test("passes over zeros quickly, and what is no frame", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
frame = bytes(host.frame(encode([REQUEST, 1, "kv.get", {"key": "timezone"}])))
for noise in (bytes(100000), bytes(7) + b"x" + bytes(3000), b"x\\0" * 5000, b"x" * 10000 + b"\\0"):
    line.inbox = noise + frame
    steps = 0
    while not line.outbox:
        agent.step()
        steps += 1
        assert steps < 200, "it takes one step for each byte"
    is_equal(finals(told()), [(1, "")])
`,
    ));

  test("goes back when it is asked to, and what comes anyway isn't skipped", () =>
    expectHolds(
      "preview",
      `
def covered(said):
    covered = bytearray(10000)
    for it in said:
        if it[0] == DATA: covered[it[2]:it[2] + len(it[3])] = it[3]
    return bytes(covered)
hello(b"1")
told([REQUEST, 1, "image.get", {"tag": "a", "credit": 10000}])
for asked in ([9000, 9000], [8000, 9000]):
    is_equal(covered(told([HOST_RESEND, 1, 0, U32, 0], [HOST_RESEND, 1] + asked + [0])), b"a" * 10000)
is_equal([it[:2] for it in told([HOST_RESEND, 1, 10000, 10000, 0])], [[RESULT, 1]])
`,
    ));

  test("sends smaller pieces where some are lost, and larger ones again", () =>
    expectHolds(
      "preview",
      `
def largest(said): return max(len(it[3]) for it in said if it[0] == DATA)
hello(b"1")
is_equal(largest(told([REQUEST, 1, "image.get", {"tag": "a", "credit": 10000}])), 4096)
for size in (2048, 1024, 1024):
    is_equal(largest(told([HOST_RESEND, 1, 0, 8000, 0])), size)
for number in range(2, 40): said = told([REQUEST, number, "image.get", {"tag": "b", "credit": 10000}])
is_equal(largest(said), 4096)
`,
    ));

  test("waits for a line that takes a few bytes at a time", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
line.most = 3
assert answer(1, "dock.info")["name"] == agent.name
`,
    ));

  test("takes keys in whatever way the datastore lists them", () =>
    expectHolds(
      "preview",
      `
class Keys:
    def __init__(self, listed): self.listed = listed
    def list(self): return self.listed
    def get(self, key): return {"a": 1, "b": 2}.get(key, "")
hello(b"1")
for number, listed in enumerate((["b", "a"], {"a": 1, "b": 2}, [("b", 2), ("a", 1)], ("a", "b"))):
    agent.layers[0].keys = Keys(listed)
    is_equal([it[0] for it in answer(10 + number, "kv.list")["entries"]], ["a", "b"])
    is_equal(answer(20 + number, "kv.get", key="b"), {"found": True, "value": 2, "store": "factory", "upd": False})
    is_equal(answer(30 + number, "kv.get", key="c"), {"found": False})
`,
    ));

  test("leaves out names that the protocol hasn't", () =>
    expectHolds(
      "preview",
      `
class Keys:
    def list(self): return ["", "a\\0b", "x" * 256, "é" * 128, 7, "fine", "é" * 127]
    def get(self, key): return 1
agent.layers[0].keys = Keys()
hello(b"1")
is_equal([it[0] for it in answer(1, "kv.list")["entries"]], ["fine", "é" * 127])
is_equal([it["used"] for it in answer(2, "dock.info")["stores"]], [26 * 10001 + 4 + 1 + 254 + 1])
`,
    ));

  test("says that a value can't be said, and goes on", () =>
    expectHolds(
      "preview",
      `
deep = []
for _ in range(16): deep = [deep]
class Keys:
    def list(self): return ["deep", "set", "huge", "fine"]
    def get(self, key): return {"deep": deep, "set": {1}, "huge": 1 << 64, "fine": (1, 2.5)}.get(key, "")
agent.layers[0].keys = Keys()
hello(b"1")
for number, key in enumerate(("deep", "set", "huge")):
    is_equal(answer(1 + number, "kv.get", key=key)["code"], "INTERNAL")
is_equal(answer(9, "kv.get", key="fine")["value"], [1, 2.5])
is_equal([it[0] for it in answer(10, "kv.list")["entries"]], ["deep", "fine", "huge", "set"])
`,
    ));

  test("knows the SHA-256 of an image once it was read, and says so", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
is_equal(len(answer(1, "image.list")["entries"][0]), 4)
told([REQUEST, 2, "image.get", {"tag": "a", "credit": 10000}])
is_equal(answer(3, "image.list")["entries"][0][4], hashlib.sha256(b"a" * 10000).digest())
`,
    ));
});

describe("a host", () => {
  test("that hasn't said hello is heard in frames of 512 bytes at most, and says what it takes itself", () =>
    expectHolds(
      "preview",
      `
class Keys:
    def list(self): return ["k"]
    def get(self, key): return "x" * 500
agent.layers[0].keys = Keys()
long = {"versions": [1], "nonce": b"1" * 8, "maxBody": 512, "software": "", "more": "x" * 500}
is_equal(told([HELLO, long]), [])
hello(b"1", maxBody=512)
failure = answer(1, "kv.get", key="k")
is_equal((failure["code"], failure["limit"]), ("TOO_LARGE", 384))
assert max(len(it[3]) for it in told([REQUEST, 2, "image.get", {"tag": "a", "credit": 10000}]) if it[0] == DATA) <= 495
`,
    ));

  test("that asks again while a request is worked on is told that it is pending, and cancels it", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
ask = bytes(host.frame(encode([REQUEST, 1, "image.list", {}])))
line.inbox = ask + ask
for _ in range(4): agent.step()
assert len(agent.session.jobs) == 1, agent.session.jobs
is_equal(told([CANCEL, 1]), [[PENDING, 1], [FAILURE, 1, Refused("CANCELLED", "cancelled by the host").failure]])
is_equal(agent.session.jobs, [])
`,
    ));

  test("that opens more streams than there may be is told BUSY, and those that are open go on", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
for number in range(1, 5): is_equal(told([REQUEST, number, "image.get", {"tag": "a", "credit": 0}])[0][0], HEAD)
is_equal(finals(told([REQUEST, 5, "image.get", {"tag": "b", "credit": 0}])), [(5, "BUSY")])
for number in range(1, 5): is_equal(finals(told([HOST_CREDIT, number, 10000])), [(number, "")])
is_equal(told([REQUEST, 6, "image.get", {"tag": "b", "credit": 0}])[0][0], HEAD)
`,
    ));

  test("that goes on with a read is told when the image is another one", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
ask = {"tag": "a", "credit": 10000, "from": 9990, "ifSha256": hashlib.sha256(b"a" * 10000).digest()}
is_equal([it[3] for it in told([REQUEST, 1, "image.get", ask]) if it[0] == DATA], [b"a" * 10])
is_equal(answer(2, "image.get", **dict(ask, ifSha256=bytes(32)))["code"], "CHANGED")
is_equal(answer(3, "image.get", tag="a", credit=20000, **{"from": 10001})["code"], "INVALID")
`,
    ));

  test("that waits for what takes long is told each 200 ms that it is pending", () =>
    expectHolds(
      "preview",
      `
class Slow:  # each look at it is 50 ms later
    now = 0
    def ticks_ms(self):
        self.now += 50
        return self.now
    def ticks_diff(self, a, b): return a - b
hello(b"1")
datastore_agent.time = Slow()
said = told([REQUEST, 1, "image.list", {}])
is_equal(said[-1][:2], [RESULT, 1])
pendings = len(said) - 1
assert 3 <= pendings <= 26 and all(it == [PENDING, 1] for it in said[:-1]), said
`,
    ));

  test("that asks for bytes of a stream that there isn't is told so", () =>
    expectHolds(
      "preview",
      `
hello(b"1")
is_equal(finals(told([HOST_RESEND, 1, 0, 1, 1])), [(1, "STALE")])
`,
    ));
});

describe("a firmware", () => {
  test("of the preview can only be read, and no layer can be named", () =>
    expectHolds(
      "preview",
      `
welcome = hello(b"1")
is_equal((welcome["features"], welcome["stores"]), ([], ["factory"]))
is_equal(answer(1, "kv.set", key="a", value=1, store="runtime")["code"], "UNSUPPORTED")
is_equal(answer(2, "kv.get", key="a", store="factory")["code"], "UNSUPPORTED")
`,
    ));

  test("with all that is announced has its layers named, and application data written", () =>
    expectHolds(
      "announced",
      `
welcome = hello(b"1")
is_equal((welcome["features"], welcome["stores"]), (["stores", "write.runtime"], ["runtime", "factory"]))
`,
    ));

  test.for(["ImageStore.put", "ImageStore.delete", "KvStore.set", "KvStore.delete"])("without %s is only read", (call) =>
    expectHolds(
      "announced",
      `
import datastore
class Without:
    def __init__(self, store, name): self.store, self.name = store, name
    def __getattr__(self, name):
        if name == self.name: raise AttributeError(name)
        return getattr(self.store, name)
owner, name = "${call}".split(".")
whole = getattr(datastore, owner)
setattr(datastore, owner, lambda *data: Without(whole(*data), name))
agent = Agent(line, line)
is_equal(hello(b"1")["features"], ["stores"])
is_equal(answer(1, "kv.set", key="a", value=1, store="runtime")["code"], "UNSUPPORTED")
is_equal(answer(2, "kv.get", key="timezone", store="factory")["value"], "GMT")
`,
    ),
  );
});

test("where the firmware has no crc32, the agent's own is the same", () =>
  expectHolds(
    "preview",
    `
import sys
from binascii import crc32 as theirs
class Documented: pass
del sys.modules["datastore_agent"]
sys.modules["binascii"] = Documented()
from datastore_agent import crc32 as own
assert own is not theirs
is_equal(own(b"123456789"), 0xCBF43926)
for size in (0, 1, 2, 255, 1000):
    data = bytes(i * i % 256 for i in range(size))
    is_equal(own(data), theirs(data))
    is_equal(own(data, 0xDEADBEEF), theirs(data, 0xDEADBEEF))
`,
  ));
