"""Makes the test vectors of the Dock Datastore Protocol: good.json and broken.json, beside this file.

    /usr/bin/python3 protocol/vectors/generate.py            writes both
    /usr/bin/python3 protocol/vectors/generate.py --check    writes nothing; exits 1 when they differ

It needs Debian's python3-cbor2. It shares no code with the rest of the project, so that the vectors are an authority:
the CBOR is cbor2's, the CRC zlib's, and COBS and the receiver at the end are written from SPEC.md alone. Before
anything is written each good line is decoded again, and each broken one is put to that receiver.

It is one file past the usual length, since it is nearly all table: what is covered stands in good_*() and broken_*().

good.json is an array of

    name      unique
    from      "host" or "dock"
    rule      the rule of datastore.cddl for the message
    op        of a request, result or head: its params, value or meta match <op>-params, -result or -head there
    maxBody   the limit of the receiver in bytes; 8,256 where it is absent
    message   the message, as tagged JSON
    body      its CBOR, in hex
    line      the frame with a delimiter before and after, in hex
    reencode  false where a sender of this project would send other bytes (SPEC 1.2, 1.3: "a receiver accepts")

broken.json is an array of

    name      unique
    to        "host" or "dock": who receives it, in a session, a dock with every feature
    maxBody   the limit of the receiver in bytes
    line      what comes, from a delimiter to the next, in hex
    expect    outcome   the counter of SPEC 1.4 that goes up, or "empty" (nothing happens), or "text"
              text      what is handed up, for "text"
              noise     true when "noise" goes up as well, for what follows the text
              answer    the id of the failure MALFORMED that a dock must answer; without it nothing is answered
              op        true when the message is right, but not the params (to the dock, SPEC 4.5), or the result or
                        head (to the host) of its operation: no counter goes up
    body      the frame's body in hex where it is well-formed CBOR that keeps to 1.3 and has the wrong shape, and
    breaks    the rule of datastore.cddl that the body doesn't match, or for op its last item: <op>-params, -result
              or -head

Tagged JSON is JSON in which {"$bytes": hex} is a byte string, {"$int": decimal} an integer beyond ±(2^53 - 1),
{"$float": text} each float ("1.0", "-0.0", "NaN", "Infinity": to be parsed, not compared), and a key of a map that
begins with "$" has one more "$" in front.
"""

import hashlib
import json
import math
import struct
import sys
import zlib
from pathlib import Path

import cbor2

HERE = Path(__file__).parent
USUAL = 8256  # bytes of a body, SPEC 9.1
FIRST = 512  # bytes of a body before the handshake is through
U32 = 2**32 - 1
ID = 7


# --- Bytes -----------------------------------------------------------------------------------------------------------


class Raw:
    """An item that is given by its bytes; what it means is only asked for where it means something."""

    def __init__(self, hexadecimal, value=None):
        self.bytes = bytes.fromhex(hexadecimal)
        self.value = value


def f16(value):
    return Raw("f9" + struct.pack(">e", value).hex(), value)


def f32(value):
    return Raw("fa" + struct.pack(">f", value).hex(), value)


def f64(value):
    """cbor2 shortens NaN and the infinities to 16 bits, a sender of this protocol doesn't."""
    return Raw("fb" + struct.pack(">d", value).hex(), value)


def encode(item):
    return cbor2.dumps(item, default=lambda encoder, raw: encoder.write(raw.bytes))


def crc(body):
    return struct.pack("<I", zlib.crc32(body))


def cobs(data):
    out, group = bytearray(), bytearray()
    pending = True  # false only right after an FF group: the data may end there without a further group
    for byte in data:
        if byte == 0:
            out += bytes([len(group) + 1]) + group
            group.clear()
            pending = True
            continue
        group.append(byte)
        pending = True
        if len(group) == 254:
            out += b"\xff" + group
            group.clear()
            pending = False
    return bytes(out + bytes([len(group) + 1]) + group if pending else out)


def uncobs(frame):
    out, at = bytearray(), 0
    while at < len(frame):
        code = frame[at]
        end = at + code
        if code == 0 or end > len(frame):
            raise ValueError("not COBS")
        out += frame[at + 1 : end]
        if code != 0xFF and end < len(frame):
            out.append(0)
        at = end
    return bytes(out)


def frame(body):
    return cobs(body + crc(body))


def filler(count):
    """That many bytes, none of them 0, not all alike."""
    return bytes(i % 255 + 1 for i in range(count))


def tagged(item):
    if isinstance(item, Raw):
        return tagged(item.value)
    if isinstance(item, bytes):
        return {"$bytes": item.hex()}
    if isinstance(item, float):
        name = repr(item)
        return {"$float": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(name, name)}
    if isinstance(item, int) and not isinstance(item, bool) and abs(item) >= 2**53:
        return {"$int": str(item)}
    if isinstance(item, list):
        return [tagged(each) for each in item]
    if isinstance(item, dict):
        return {("$" + key if key.startswith("$") else key): tagged(each) for key, each in item.items()}
    return item


def nested(depth, make=lambda inner: [inner], innermost=1):
    """A value that is nested so deep: depth 1 is [1]."""
    item = innermost
    for _ in range(depth):
        item = make(item)
    return item


def in_map(inner):
    return {"m": inner}


# --- What messages are made of ---------------------------------------------------------------------------------------

NONCE = bytes.fromhex("0102030405060708")
SESSION = bytes.fromhex("5e00000000005e55")
BOOT = bytes.fromhex("b00700000000b007")
IMAGE = filler(8192)
SHA = hashlib.sha256(IMAGE).digest()
TOKEN = bytes.fromhex("00ff10")
CURSOR = bytes.fromhex("0000002a00")
ALL_FEATURES = [
    "stores", "write.ephemeral", "write.runtime", "write.factory", "txn", "restart", "reset", "code", "log",
]
LAYERS = ["factory", "runtime", "ephemeral"]
DOCK = {"id": "RW02-0005", "model": "DL-7450", "name": "Desk 12"}
LIMITS = {
    "maxBody": 8256, "window": 49152, "requests": 32, "streams": 4,
    "tagBytes": 128, "keyBytes": 128, "valueBytes": 4096, "pageBytes": 4096,
}
LEAST = {
    "maxBody": 512, "window": 512, "requests": 1, "streams": 1,
    "tagBytes": 1, "keyBytes": 1, "valueBytes": 1, "pageBytes": 512,
}
MOST = {
    "maxBody": 65536, "window": U32, "requests": 1024, "streams": 64,
    "tagBytes": 255, "keyBytes": 255, "valueBytes": 65000, "pageBytes": 65000,
}

HELLO = {"versions": [1], "nonce": NONCE, "maxBody": USUAL, "software": "dl7450/1.0.0 node/20.20.2"}
WELCOME = {
    "version": 1, "nonce": NONCE, "bootId": BOOT, "dock": DOCK, "limits": LIMITS, "features": ALL_FEATURES,
    "stores": LAYERS,
}
REFUSAL = {
    "code": "VERSION", "message": "This dock speaks version 2 only.", "retryable": False, "nonce": NONCE,
    "versions": [2],
}


def failure(code, retryable=False, **further):
    return {"code": code, "message": f"What {code} says to people.", "retryable": retryable, **further}


def without(map_, *keys):
    return {key: item for key, item in map_.items() if key not in keys}


# One sound message of each type, the maps of which other tables vary.
SAMPLES = {
    0: [0, HELLO],
    1: [1, ID, "kv.get", {"key": "timezone"}],
    2: [2, ID, 0, b"png"],
    3: [3, ID, 49152],
    4: [4, ID, 8192, 16384, 49152],
    5: [5, ID],
    12: [12, WELCOME],
    13: [13, ID, {"generation": 3}],
    14: [14, ID, failure("BUSY", True)],
    15: [15, ID, {"tag": "default", "type": "png", "size": 8192, "store": "factory", "generation": 3}],
    16: [16, ID, 0, b"png"],
    17: [17, ID, 49152],
    18: [18, ID, 8192, 16384, 49152],
    19: [19, ID],
    20: [20, "info", "ready"],
}
# SPEC 2: what each item after the type is.
SHAPES = {
    0: ["map"], 1: ["id", "text", "map"], 2: ["id", "u32", "bytes"], 3: ["id", "u32"],
    4: ["id", "u32", "u32", "u32"], 5: ["id"], 12: ["map"], 13: ["id", "map"], 14: ["id", "map"], 15: ["id", "map"],
    16: ["id", "u32", "bytes"], 17: ["id", "u32"], 18: ["id", "u32", "u32", "u32"], 19: ["id"], 20: ["text", "text"],
}
RULES = {
    0: "hello", 1: "request", 2: "host-data", 3: "host-credit", 4: "host-resend", 5: "cancel",
    12: "welcome", 13: "result", 14: "failure", 15: "head", 16: "dock-data", 17: "dock-credit", 18: "dock-resend",
    19: "pending", 20: "log",
}


def sender(type_):
    return "host" if type_ < 12 else "dock"


def receiver(type_):
    return "dock" if type_ < 12 else "host"


def side_rule(side):
    return f"{side}-message"


# --- Good vectors ----------------------------------------------------------------------------------------------------

GOOD = []


def good(name, message, rule=None, line=None, **more):
    body = encode(message)
    GOOD.append({
        "name": name, "from": sender(message[0]), "rule": rule or RULES[message[0]], **more,
        "message": tagged(message), "body": body.hex(), "line": (b"\0" + (line or frame(body)) + b"\0").hex(),
    })


def good_messages():
    for type_, message in SAMPLES.items():
        good(f"type {type_}, {RULES[type_]}", message)

    good("hello: eight versions", [0, {**HELLO, "versions": [1, 2, 3, 4, 5, 6, 7, 8]}])
    good("hello: the least of everything", [0, {**HELLO, "maxBody": 512, "software": ""}])
    good("hello: the most of everything", [0, {**HELLO, "maxBody": 65536, "software": "ü" * 32}])
    good("hello: a nonce of zeros", [0, {**HELLO, "nonce": bytes(8)}])
    good("hello: with a session", [0, {**HELLO, "session": SESSION}])
    good("hello: a session of zeros", [0, {**HELLO, "session": bytes(8)}])
    good("hello: its keys in another order", [0, dict(reversed(HELLO.items()))])
    good("hello: keys that nobody knows", [0, {**HELLO, "window": 49152, "__proto__": {"nonce": None}}])
    good("welcome: resumed", [12, {**WELCOME, "resumed": True}])
    good("welcome: not resumed", [12, {**WELCOME, "resumed": False}])
    good("welcome: the least limits", [12, {**WELCOME, "limits": LEAST}])
    good("welcome: the highest limits", [12, {**WELCOME, "limits": MOST}])
    good("welcome: no feature, one layer", [12, {**WELCOME, "features": [], "stores": ["ephemeral"]}])
    good("welcome: features that nobody knows", [12, {**WELCOME, "features": ["stores", "x.sixteen-bytes!"]}])
    good("welcome: sixteen features", [12, {**WELCOME, "features": [f"feature.{i}" for i in range(16)]}])
    good("welcome: empty names", [12, {**WELCOME, "dock": {"id": "x", "model": "", "name": ""}}])
    good("welcome: names as long as they may be",
         [12, {**WELCOME, "dock": {"id": "i" * 64, "model": "m" * 32, "name": "é" * 32}}])
    good("welcome: keys that nobody knows", [12, {
        **WELCOME, "uptime": 1.5, "dock": {**DOCK, "serial": "x"}, "limits": {**LIMITS, "cursors": 4},
    }])
    good("hello: a body of exactly 512 bytes", padded(SAMPLES[0], FIRST), maxBody=FIRST)
    good("welcome: a body of exactly 512 bytes", padded(SAMPLES[12], FIRST), maxBody=FIRST)

    good("failure VERSION, refuses a hello", [14, 0, REFUSAL], rule="refusal")
    good("failure VERSION, with a key that nobody knows", [14, 0, {**REFUSAL, "url": "x"}], rule="refusal")
    for code, retryable, further in [
        ("UNSUPPORTED", False, {}), ("MALFORMED", False, {}), ("TOO_LARGE", False, {"limit": 4096}), ("BUSY", True, {}),
        ("NOT_FOUND", False, {}), ("READ_ONLY", False, {"store": "factory"}),
        ("NO_SPACE", False, {"store": "runtime", "free": 0}), ("INVALID", False, {}), ("STALE", True, {}),
        ("CHANGED", False, {}), ("INTEGRITY", True, {}), ("NO_SESSION", True, {}), ("CANCELLED", True, {}),
        ("INTERNAL", True, {}),
    ]:
        good(f"failure {code}", [14, ID, failure(code, retryable, **further)])
    good("failure with a code that nobody knows", [14, ID, failure("ON_FIRE")])
    good("failure with keys that nobody knows", [14, ID, failure("BUSY", True, hint={"wait": [1, 2]})])
    good("failure with a message of 256 bytes", [14, ID, {**failure("INTERNAL"), "message": "x" * 256}])
    good("failure with an empty message", [14, ID, {**failure("INTERNAL"), "message": ""}])

    for level in ["debug", "info", "warning", "error"]:
        good(f"log {level}", [20, level, f"a line of level {level}"])
    good("log: empty", [20, "info", ""])
    good("log: 1,024 bytes", [20, "info", "é" * 512])

    for id_ in [1, 23, 24, 255, 256, 65535, 65536, 2**31, U32]:
        good(f"id {id_}", [5, id_])
    for offset in [0, 23, 24, 255, 256, 65535, 65536, 2**31, U32]:
        good(f"credit up to {offset}", [3, ID, offset])
        good(f"data at offset {offset}", [16, ID, offset, b"\x89"])
    for type_ in [4, 18]:
        to_the = receiver(type_)
        good(f"resend, to the {to_the}: from 0 to 0", [type_, ID, 0, 0, 49152])
        good(f"resend, to the {to_the}: to where it begins", [type_, ID, 8192, 8192, 49152])
        good(f"resend, to the {to_the}: one byte", [type_, ID, 8192, 8193, 49152])
        good(f"resend, to the {to_the}: from 0 to 4294967295", [type_, U32, 0, U32, U32])
        good(f"resend, to the {to_the}: from 4294967295 to 4294967295, no credit", [type_, 1, U32, U32, 0])
        good(f"resend, to the {to_the}: to beyond the credit", [type_, ID, 8192, 16384, 12288])


def padded(message, length):
    """The message with a key that nobody knows, by which its body gets that long."""
    for pad in range(length):
        longer = [*message[:-1], {**message[-1], "pad": filler(pad)}]
        if len(encode(longer)) == length:
            return longer
    raise AssertionError(length)


def good_data():
    for count in [1, 253, 254, 255, 256, 508, 509, 8192]:
        good(f"data: {count} bytes, none 00", [16, ID, 65536, filler(count)])
    good("data: 8192 bytes, all 00", [16, ID, 65536, bytes(8192)])
    good("data: 8192 bytes, all FF", [2, ID, 65536, b"\xff" * 8192])
    good("data: a single 00", [2, ID, 0, b"\0"])
    good("data: ends with 00", [16, ID, 0, b"png\0"])
    good("data: begins with 00", [16, ID, 0, b"\0png"])
    good("data: every byte there is", [16, ID, 0, bytes(range(256))])
    good("data: a body of exactly 8256 bytes", [16, U32, U32, filler(USUAL - 15)])
    good("data: a body of exactly 512 bytes", [16, U32, U32, filler(FIRST - 15)], maxBody=FIRST)
    good("data: a body of exactly 512 bytes, all 00", [16, U32, U32, bytes(FIRST - 15)], maxBody=FIRST)

    # The borders of COBS: how many bytes there are to stuff, body and CRC together. 6 is the head, 7 from 256 on.
    for total in [253, 254, 255, 256, 507, 508, 509]:
        count = total - 4 - (6 if total < 266 else 7)
        message = tuned(count, lambda body: 0 not in body + crc(body))
        good(f"COBS: {total} bytes to stuff, none 00", message)
        if total % 254 == 0:
            good(f"COBS: {total} bytes to stuff, and the empty group that nobody needs", message, reencode=False,
                 line=frame(encode(message)) + b"\x01")
    good("COBS: 00 right after 254 other bytes", [16, ID, 1, filler(247) + b"\0" + filler(52)])
    good("COBS: 00 right after 253 other bytes", [16, ID, 1, filler(246) + b"\0" + filler(53)])
    good("COBS: 254 other bytes between two 00", [16, ID, 1, b"\0" + filler(254) + b"\0" + filler(44)])
    good("CRC: its last byte is 00", tuned(3, lambda body: crc(body)[3] == 0))
    good("CRC: its first byte is 00", tuned(3, lambda body: crc(body)[0] == 0))
    good("CRC: its top bit is 1", tuned(3, lambda body: crc(body)[3] > 127))


def tuned(count, wanted):
    """A data message of so many bytes, the first ones chosen so that its body is as wanted."""
    for first in range(1, 255):
        for second in range(1, 255):
            message = [16, ID, 1, bytes([first, second]) + filler(count - 2)]
            if wanted(encode(message)):
                return message
    raise AssertionError(count)


PUT = {"tag": "logo", "type": "png", "size": 8192, "sha256": SHA, "store": "runtime"}
GET = {"tag": "default", "credit": 49152}
HEAD = {"tag": "default", "type": "png", "size": 8192, "store": "factory", "generation": 3}
CHANGE = {"generation": 4, "existed": True}
INFO = {
    **DOCK, "firmware": "1.2.3", "sdk": "1.0", "bootId": BOOT, "uptimeMs": 86400000, "features": ALL_FEATURES,
    "stores": [{"store": layer, "capacity": 1048576, "used": 8192} for layer in LAYERS],
}

REQUESTS = [
    ("dock.info", "", {}),
    ("dock.restart", "", {}),
    ("dock.reset", "", {}),
    ("kv.list", "", {}),
    ("kv.list", " of a layer", {"store": "ephemeral"}),
    ("kv.list", ", the next page", {"cursor": CURSOR}),
    ("kv.list", " of a layer, the next page", {"store": "runtime", "cursor": filler(192)}),
    ("kv.get", "", {"key": "timezone"}),
    ("kv.get", " of a layer", {"key": "timezone", "store": "factory"}),
    ("kv.get", " of a key of one byte", {"key": "k"}),
    ("kv.get", " of a key of 255 bytes", {"key": "k" + "ß" * 127}),
    ("kv.get", " of a key that begins with U+FEFF", {"key": "\ufeffkey"}),
    ("kv.get", " of the key __proto__", {"key": "__proto__"}),
    ("kv.get", " with keys that nobody knows", {"key": "k", "__proto__": {"store": "flash"}, "": None, "$int": "1"}),
    ("kv.set", "", {"key": "timezone", "value": "GMT", "store": "runtime"}),
    ("kv.set", " in a transaction", {"key": "timezone", "value": None, "store": "runtime", "txn": 1}),
    ("kv.delete", "", {"key": "timezone", "store": "ephemeral"}),
    ("kv.delete", " in a transaction", {"key": "timezone", "store": "runtime", "txn": 2**32 - 1}),
    ("image.list", "", {}),
    ("image.list", " of a layer", {"store": "factory"}),
    ("image.list", ", the next page", {"cursor": CURSOR}),
    ("image.get", "", GET),
    ("image.get", " of a layer", {**GET, "store": "runtime"}),
    ("image.get", " from an offset", {**GET, "from": 4096}),
    ("image.get", " to be continued", {**GET, "from": 4096, "ifSha256": SHA}),
    ("image.get", " with everything", {**GET, "store": "factory", "from": 0, "ifSha256": SHA}),
    ("image.get", " without credit at first", {**GET, "credit": 0}),
    ("image.get", " with all credit", {**GET, "credit": U32}),
    ("image.get", " by a token", {"token": TOKEN, "credit": 49152}),
    ("image.get", " by a token, to be continued", {"token": filler(64), "from": 1, "ifSha256": SHA, "credit": 1}),
    ("image.token", "", {"tag": "default"}),
    ("image.token", " of a tag of 255 bytes", {"tag": "t" + "ß" * 127}),
    ("image.token", " of a layer", {"tag": "default", "store": "ephemeral"}),
    ("image.put", "", PUT),
    ("image.put", " in a transaction", {**PUT, "txn": 1}),
    ("image.put", " of 0 bytes", {**PUT, "type": "none", "size": 0, "sha256": hashlib.sha256(b"").digest()}),
    ("image.put", " of a bmp", {**PUT, "type": "bmp"}),
    ("image.put", " of a jpeg to the factory layer", {**PUT, "type": "jpeg", "store": "factory"}),
    ("image.delete", "", {"tag": "ロゴ", "store": "runtime"}),
    ("image.delete", " in a transaction", {"tag": "logo", "store": "runtime", "txn": 1}),
    ("txn.begin", "", {"store": "runtime"}),
    ("txn.begin", " that replaces", {"store": "ephemeral", "replace": True}),
    ("txn.begin", " that doesn't replace", {"store": "ephemeral", "replace": False}),
    ("txn.commit", "", {"txn": 1}),
    ("txn.rollback", "", {"txn": 1}),
    ("code.info", "", {}),
]

RESULTS = [
    ("dock.info", "", INFO),
    ("dock.info", ", nothing known", {**INFO, "firmware": "", "sdk": "", "uptimeMs": 0, "features": [],
                                      "stores": INFO["stores"][:1]}),
    ("dock.info", ", up for very long", {**INFO, "uptimeMs": 2**53 - 1}),
    ("dock.info", ", a key that nobody knows in a layer", {**INFO, "stores": [{**INFO["stores"][0], "wear": 0.5}]}),
    ("dock.restart", "", {}),
    ("dock.reset", "", {}),
    ("kv.list", "", {"entries": [["name", "factory", 8, True], ["timezone", "runtime", 4, False]], "generation": 9}),
    ("kv.list", ", empty", {"entries": [], "generation": 0}),
    ("kv.list", ", more to come", {"entries": [["a", "ephemeral", 1, False]], "generation": 9, "cursor": CURSOR}),
    ("kv.list", ", 24 entries", {"entries": [[f"key-{i:02}", "runtime", i, False] for i in range(24)],
                                 "generation": 9}),
    ("kv.get", ", missing", {"found": False}),
    ("kv.get", ", unique per dock", {"found": True, "value": "A-17", "store": "factory", "upd": True}),
    ("kv.set", "", {"generation": 4}),
    ("kv.delete", "", CHANGE),
    ("kv.delete", ", nothing there", {"generation": 4, "existed": False}),
    ("image.list", "", {"entries": [["default", "png", 8192, "factory"]], "generation": 9}),
    ("image.list", " with and without SHA-256", {"entries": [
        ["a", "bmp", 0, "ephemeral", SHA], ["b", "jpeg", U32, "runtime"], ["c", "none", 1, "factory", SHA],
    ], "generation": 9}),
    ("image.list", ", empty", {"entries": [], "generation": 0}),
    ("image.list", ", more to come", {"entries": [["a", "png", 1, "runtime", SHA]], "generation": 9,
                                      "cursor": filler(192)}),
    ("image.get", "", {"size": 8192, "sha256": SHA}),
    ("image.get", " of 0 bytes", {"size": 0, "sha256": hashlib.sha256(b"").digest()}),
    ("image.token", "", {"token": TOKEN, "store": "runtime"}),
    ("image.token", " of one byte", {"token": b"\0", "store": "runtime"}),
    ("image.token", " of 64 bytes", {"token": filler(64), "store": "factory"}),
    ("image.put", "", {"generation": 4, "existed": False}),
    ("image.put", ", replaced", CHANGE),
    ("image.delete", "", CHANGE),
    ("image.delete", ", nothing there", {"generation": 4, "existed": False}),
    ("txn.begin", "", {"txn": 1}),
    ("txn.commit", "", {"generation": 5}),
    ("txn.rollback", "", {}),
    ("code.info", "", {"size": 262144, "crc32": 0xCBF43926}),
    ("code.info", ", nothing there", {"size": 0, "crc32": 0}),
    ("code.info", ", the highest CRC", {"size": 1, "crc32": U32}),
]

HEADS = [
    ("", HEAD),
    (" with SHA-256", {**HEAD, "sha256": SHA}),
    (" for a token", without(HEAD, "tag")),
    (" for a token, with SHA-256", {**without(HEAD, "tag"), "sha256": SHA}),
    (" of 0 bytes", {**HEAD, "type": "none", "size": 0}),
]


def good_operations():
    for op, what, params in REQUESTS:
        good(f"request {op}{what}", [1, ID, op, params], op=op)
        if what == "" or "token" in params:
            good(f"request {op}{what}, with a key that nobody knows", [1, ID, op, {**params, "x": [None]}], op=op)
    good("request of an operation that nobody knows", [1, ID, "future.op", {"x": [1]}])
    good("request of an operation without a name", [1, ID, "", {}])
    for op, what, value in RESULTS:
        good(f"result {op}{what}", [13, ID, value], op=op)
        if what == "" or "found" in value:
            good(f"result {op}{what}, with a key that nobody knows", [13, ID, {"x": [None], **value}], op=op)
    for what, meta in HEADS:
        good(f"head image.get{what}", [15, ID, meta], op="image.get")
    good("head image.get with a key that nobody knows", [15, ID, {**HEAD, "width": 64}], op="image.get")


VALUES = [
    ("null", None),
    ("false", False),
    ("true", True),
    *((f"integer {n}", n) for n in [
        0, 1, 23, 24, 255, 256, 65535, 65536, 2**31, U32, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1,
        -1, -24, -25, -256, -257, -65536, -65537, -(2**31), -(2**32), -(2**32) - 1, 1 - 2**53, -(2**53), -(2**53) - 1,
        -(2**63),
    ]),
    *((f"float {n!r}", f64(n)) for n in [
        0.0, -0.0, 1.0, -1.0, 1.5, 0.1, 3.141592653589793, 1e300, 5e-324, 1.7976931348623157e308, 65504.0, 2.0**53,
        2.0**63, math.inf, -math.inf, math.nan,
    ]),
    ("empty text", ""), ("text of 23 bytes", "x" * 23), ("text of 24 bytes", "x" * 24),
    ("text of 255 bytes", "x" * 255), ("text of 256 bytes", "x" * 256), ("text in many scripts", "Grüße, 世界, שלום 🎉"),
    ("text with U+0000", "a\0b"),
    ("text that begins with U+FEFF", "\ufefftext"),
    ("text with the borders of UTF-8", "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"),
    ("text that isn't normalised", "e\u0301\u00e9"), ("text with control characters", "\x01\x1b[0m\r\n\x7f"),
    ("empty bytes", b""), ("one byte 00", b"\0"), ("23 bytes", filler(23)), ("24 bytes", filler(24)),
    ("256 bytes", filler(256)), ("1024 bytes 00", bytes(1024)),
    ("empty array", []), ("array of 23", list(range(23))), ("array of 24", list(range(24))),
    ("array of 256", [None] * 256), ("array of everything", [None, True, -1, f64(1.0), "text", b"bytes", [], {}]),
    ("empty map", {}), ("map of 23", {f"k{i}": i for i in range(23)}), ("map of 24", {f"k{i}": i for i in range(24)}),
    ("map of 256", {f"k{i}": None for i in range(256)}),
    ("map with the key __proto__", {"__proto__": {"polluted": True}}),
    ("map with the keys of objects", {"constructor": 1, "toString": None, "length": 0, "then": "x", "toJSON": []}),
    ("map with an empty key", {"": ""}),
    ("map whose keys look like tags", {"$bytes": "00", "$$": 1, "$int": {"$float": 2}}),
    ("map whose keys differ in normalisation", {"e\u0301": 1, "\u00e9": 2}),
    ("map with a key with U+0000", {"a": 1, "a\0": 2}),
    ("map with a key that begins with U+FEFF", {"\ufeffk": 1, "k": 2}),
    ("arrays nested 16 deep", nested(16)),
    ("maps nested 16 deep", nested(16, in_map)),
    ("an empty array 16 deep", nested(15, innermost=[])),
    ("an empty map 16 deep", nested(15, in_map, {})),
    ("arrays and maps nested 16 deep", nested(8, lambda inner: [{"m": inner}])),
]

# What a receiver must take, although a sender should use 64 bits.
NARROW = [
    *((f"float {n!r} in 16 bits", f16(n)) for n in [
        0.0, -0.0, 1.0, 1.5, 65504.0, 6.103515625e-05, 5.960464477539063e-08, math.inf, -math.inf, math.nan,
    ]),
    *((f"float {n!r} in 32 bits", f32(n)) for n in [
        0.0, -0.0, 1.0, 100000.0, 3.4028234663852886e38, 1.401298464324817e-45, math.inf, -math.inf, math.nan,
    ]),
    ("NaN with a payload", Raw("fb7ff8000000000001", math.nan)),
    ("a negative NaN", Raw("fbfff8000000000000", math.nan)),
    ("a signalling NaN", Raw("fb7ff0000000000001", math.nan)),
]


def good_values():
    for name, value in VALUES:
        good(f"value: {name}", [13, ID, found(value)], op="kv.get")
    for name, value in NARROW:
        good(f"value: {name}", [13, ID, found(value)], op="kv.get", reencode=False)
    everything = {"null": None, "bool": True, "int": 2**63 - 1, "float": f64(-0.0), "text": "ß", "bytes": b"\0",
                  "array": nested(15), "map": {"__proto__": []}}
    good("value: everything, upwards", [1, ID, "kv.set", {"key": "k", "value": everything, "store": "runtime"}],
         op="kv.set")
    for side, message in [("host", [1, ID, "kv.get"]), ("dock", [13, ID])]:
        known = {"key": "k"} if side == "host" else {"found": False}
        good(f"a body nested 20 deep, from the {side}", [*message, {**known, "unknown": nested(18)}], op="kv.get")
        good(f"a body with maps nested 20 deep, from the {side}", [*message, {**known, "unknown": nested(18, in_map)}],
             op="kv.get")


def found(value):
    return {"found": True, "value": value, "store": "runtime", "upd": False}


# --- Broken vectors --------------------------------------------------------------------------------------------------

BROKEN = []


def broken(name, to, run, outcome, max_body=USUAL, breaks=None, body=None, **expect):
    BROKEN.append({
        "name": name, "to": to, "maxBody": max_body, "line": (b"\0" + run + b"\0").hex(),
        "expect": {"outcome": outcome, **expect}, **({"body": body.hex(), "breaks": breaks} if breaks else {}),
    })


def malformed(name, to, body, answer=None, breaks=None):
    """A body that breaks the rules in a frame that doesn't. Only requests have an answer (SPEC 1.4)."""
    broken(name, to, frame(body), "malformed", body=body, breaks=breaks, **({"answer": answer} if answer else {}))


REQUEST = encode(SAMPLES[1])
DATA = encode([16, ID, 1, filler(300)])
ZEROS = encode([16, ID, 0, b"\0\x01" * 150])


def changed(run, at, byte):
    at %= len(run)
    return run[:at] + bytes([byte]) + run[at + 1 :]


def codes(run):
    """Where the codes of a frame stand."""
    at, found_at = 0, []
    while at < len(run):
        found_at.append(at)
        at += run[at]
    return found_at


def flipped(run, at, bit=0x10):
    at = int(len(run) * at)
    return changed(run, at, run[at] ^ bit)


def broken_frames():
    whole, long, many = frame(REQUEST), frame(DATA), frame(ZEROS)
    broken("empty: two delimiters", "dock", b"", "empty")
    broken("empty: five delimiters", "host", bytes(3), "empty")

    broken("cobs: the only group runs one byte past the end", "dock", changed(whole, 0, whole[0] + 1), "cobs")
    broken("cobs: the only group runs far past the end", "dock", changed(whole, 0, 0xFF), "cobs")
    broken("cobs: the first group runs past the end", "host", changed(many, 0, 0xFE)[:200], "cobs")
    broken("cobs: a group in the middle runs past the end", "host", changed(many, codes(many)[75], 0xFF), "cobs")
    broken("cobs: the last group runs one byte past the end", "host", changed(long, 255, long[255] + 1), "cobs")
    broken("cobs: a code at the end has nothing to stand for", "dock", whole + b"\x02", "cobs")
    broken("cobs: FF at the end has nothing to stand for", "host", whole + b"\xff", "cobs")
    broken("cobs: two bytes", "dock", b"\x1d\x84", "cobs")
    broken("truncated: in its only group", "dock", whole[: len(whole) // 2], "cobs")
    broken("truncated: by its last byte", "dock", whole[:-1], "cobs")
    broken("truncated: in its first group of two", "host", long[:100], "cobs")
    broken("truncated: in its last group of two", "host", long[:-3], "cobs")
    broken("truncated: between two groups", "host", long[:255], "crc")
    broken("lost: the first byte of a frame", "dock", whole[1:], "noise")

    for name, at in [("first", 1 / 6), ("second", 1 / 2), ("third", 5 / 6)]:
        broken(f"crc: a bit is flipped in the {name} third, to the dock", "dock", flipped(whole, at), "crc")
        broken(f"crc: a bit is flipped in the {name} third, to the host", "host", flipped(long, at), "crc")
    broken("crc: the lowest bit of the last byte is flipped", "dock", flipped(whole, 0.999, 1), "crc")
    broken("crc: the top bit of the last byte is flipped", "dock", flipped(whole, 0.999, 0x80), "crc")
    broken("crc: its bytes are in the other order", "dock", cobs(REQUEST + crc(REQUEST)[::-1]), "crc")
    broken("crc: it is missing", "dock", cobs(REQUEST), "crc")
    broken("crc: only three bytes of it", "dock", cobs(REQUEST + crc(REQUEST)[:3]), "crc")
    broken("crc: it isn't inverted at the end", "dock", cobs(REQUEST + bytes(b ^ 0xFF for b in crc(REQUEST))), "crc")
    broken("crc: it is that of the stuffed bytes", "dock", cobs(REQUEST + crc(cobs(REQUEST))), "crc")
    broken("crc: four zeros", "dock", cobs(REQUEST + bytes(4)), "crc")
    broken("crc: it stands in front", "dock", cobs(b"\x84" + crc(REQUEST) + REQUEST), "crc")
    broken("crc: that of another body", "dock", cobs(REQUEST + crc(encode(SAMPLES[5]))), "crc")
    for count in [1, 2, 3, 4]:
        broken(f"crc: {count} of 5 bytes", "dock", cobs(REQUEST[:count]), "crc")
    broken("crc: a byte was lost and the code fits again", "dock", changed(whole[:-1], 0, whole[0] - 1), "crc")
    broken("crc: a byte was added and the code fits again", "dock", changed(whole + b"\x20", 0, whole[0] + 1), "crc")
    broken("crc: two bytes changed places", "dock", whole[:10] + whole[11:12] + whole[10:11] + whole[12:], "crc")
    broken("crc: an empty group was added after a frame that has no FF", "dock", whole + b"\x01", "crc")
    broken("crc: a code in the middle reaches over the next", "host", changed(many, codes(many)[75], 4), "crc")
    broken("merged: two frames without the delimiter between them", "dock", whole + whole, "crc")
    broken("merged: two frames, the first one ends in an FF group", "host",
           frame(encode(tuned(244, lambda body: 0 not in body + crc(body)))) + whole, "crc")
    broken("merged: half a frame and a whole one", "dock", whole[: len(whole) // 2] + whole, "cobs")

    for limit in [FIRST, USUAL]:
        longest = longest_frame(limit)
        one_more = frame(encode([16, U32, U32, filler(limit + 1 - 15)]))
        assert len(one_more) == longest + 1
        broken(f"oversize: one byte more than {limit} bytes of body can have", "host", one_more, "oversize", limit)
        broken(f"oversize: one byte more than {limit} can have, and not COBS", "dock", b"\xff\x84" * (longest // 2 + 1),
               "oversize", limit)
        broken(f"oversize: twice the {limit}", "host", frame(encode([16, ID, 0, filler(2 * limit)])), "oversize", limit)
    broken("oversize: a usual body before the handshake is through", "dock", frame(encode([2, ID, 0, filler(8192)])),
           "oversize", FIRST)
    broken("oversize: 40,000 bytes", "dock", b"\x20\x81" * 20000, "oversize")
    broken("oversize: a hello with a body of 513 bytes", "dock", frame(encode(padded(SAMPLES[0], FIRST + 1))),
           "oversize", FIRST)


def argument(major, width, number):
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + number.to_bytes(width, "big")


def long_forms():
    """Numbers, lengths and counts in more bytes than they need."""
    contents = {0: lambda n: b"", 1: lambda n: b"", 2: filler, 3: lambda n: b"x" * n, 4: lambda n: b"\xf6" * n,
                5: lambda n: b"".join(encode(f"{i}") + b"\xf6" for i in range(n))}
    names = ["integer", "negative integer", "length of bytes", "length of text", "count of an array", "count of a map"]
    for major, name in enumerate(names):
        for width in [1, 2, 4, 8]:
            highest = {1: 23, 2: 255, 4: 65535, 8: U32}[width]
            for number in [0, highest if major < 2 else min(highest, 256)]:
                item = argument(major, width, number) + contents[major](number)
                yield f"{name} {number}, its width {width}", item.hex()


# Items that break SPEC 1.3, as they stand in a value that ends the body.
ITEMS = [
    ("indefinite: array", "9f01ff"), ("indefinite: empty array", "9fff"), ("indefinite: map", "bf616101ff"),
    ("indefinite: empty map", "bfff"), ("indefinite: text", "7f6161ff"), ("indefinite: empty text", "7fff"),
    ("indefinite: bytes", "5f4101ff"), ("indefinite: empty bytes", "5fff"), ("indefinite: inside an array", "819fff"),
    ("indefinite: a key", "a17f6161ff01"),
    *((f"not shortest: {name}", item) for name, item in long_forms()),
    ("duplicate key: next to each other", "a2616101616102"), ("duplicate key: the same value too", "a2616101616101"),
    ("duplicate key: one between them", "a3616101616202616103"), ("duplicate key: empty", "a260016002"),
    ("duplicate key: deeper", "81a16178a2616101616102"),
    ("duplicate key: __proto__", "a2695f5f70726f746f5f5f01695f5f70726f746f5f5f02"),
    ("UTF-8: overlong U+0000", "62c080"), ("UTF-8: overlong in two bytes", "62c1bf"),
    ("UTF-8: overlong in three", "63e09fbf"), ("UTF-8: overlong in four", "64f08fbfbf"),
    ("UTF-8: a high surrogate", "63eda080"), ("UTF-8: a low surrogate", "63edbfbf"),
    ("UTF-8: a pair of surrogates", "66eda081edb080"), ("UTF-8: truncated after one byte of two", "6261c3"),
    ("UTF-8: truncated after two of three", "6361e282"), ("UTF-8: truncated after three of four", "63f09f8e"),
    ("UTF-8: truncated before another character", "63e28261"), ("UTF-8: a continuation alone", "6180"),
    ("UTF-8: FF", "61ff"), ("UTF-8: FE", "61fe"), ("UTF-8: above U+10FFFF", "64f4908080"),
    ("UTF-8: five bytes", "65f888808080"), ("UTF-8: overlong in a key", "a162c08001"),
    ("UTF-8: a surrogate in a key", "a163eda08001"), ("UTF-8: truncated in a key", "a161c301"),
    ("UTF-8: FF in an array", "8161ff"),
    ("tag 0, a date", "c074323031332d30332d32315432303a30343a30305a"), ("tag 1, a time", "c11a514b67b0"),
    ("tag 2, a big integer", "c24101"), ("tag 2, above 2^64", "c249010000000000000000"),
    ("tag 3, a negative big integer", "c34101"), ("tag 4, a decimal fraction", "c48221196ab3"),
    ("tag 24, CBOR in bytes", "d8184101"), ("tag 27, an object", "d81b82654572726f7280"),
    ("tag 64, bytes", "d84043010203"), ("tag 259, a map", "d90103a1616101"), ("tag 55799, CBOR itself", "d9d9f701"),
    ("tag 105, a record definition", "d8698319e00081616101"), ("tag of 8 bytes", "dbffffffffffffffff01"),
    ("tag on a key", "a1c0616101"), ("tag in an array", "81c001"),
    ("undefined", "f7"), ("undefined in an array", "81f7"), ("undefined in a map", "a16161f7"),
    ("undefined as a key", "a1f701"),
    ("simple value 0", "e0"), ("simple value 16", "f0"), ("simple value 19", "f3"), ("simple value 32", "f820"),
    ("simple value 255", "f8ff"), ("simple value 24, reserved", "f818"), ("false in two bytes", "f814"),
    ("null in two bytes", "f816"),
    ("integer 2^63", "1b8000000000000000"), ("integer 2^64 - 1", "1bffffffffffffffff"),
    ("integer -2^63 - 1", "3b8000000000000000"), ("integer -2^64", "3bffffffffffffffff"),
    ("integer 2^63 in an array", "811b8000000000000000"),
    ("key is an integer", "a10101"), ("key is a negative integer", "a12001"), ("key is bytes", "a1416101"),
    ("key is null", "a1f601"), ("key is true", "a1f501"), ("key is a float", "a1fb3ff800000000000001"),
    ("key is an array", "a18001"), ("key is a map", "a1a001"), ("the second key is an integer", "a26161010202"),
    *((f"reserved: {head}", head) for head in ["1c", "1d", "1e", "3c", "5d", "7e", "9c", "bd", "de", "fc", "fe"]),
    ("reserved: an integer of indefinite length", "1f"), ("reserved: a negative one", "3f"),
    ("reserved: a tag", "dfff"),
    ("a break that ends nothing", "ff"), ("a break in an array", "81ff"), ("a break in a map", "a16161ff"),
    ("cut off: an integer of 1 byte", "18"), ("cut off: of 2 bytes", "1901"), ("cut off: of 4 bytes", "1a010000"),
    ("cut off: of 8 bytes", "1b01000000000000"), ("cut off: a float of 16 bits", "f93e"),
    ("cut off: of 32 bits", "fa47c350"), ("cut off: of 64 bits", "fb3ff80000000000"), ("cut off: a simple value", "f8"),
    ("cut off: text", "626b"), ("cut off: bytes", "430102"), ("cut off: a length", "59"), ("cut off: an array", "8201"),
    ("cut off: an empty array", "81"), ("cut off: a map after a key", "a16161"),
    ("cut off: a map after a value", "a2616101"), ("cut off: a tag", "c0"),
    ("lies: bytes of 4 GiB", "5affffffff00"), ("lies: bytes of 2^64 - 1", "5bffffffffffffffff00"),
    ("lies: text of 4 GiB", "7affffffff78"), ("lies: text of 2^63 bytes", "7b800000000000000078"),
    ("lies: an array of 4 G items", "9affffffff01"), ("lies: an array of 2^64 - 1", "9bffffffffffffffff01"),
    ("lies: a map of 4 G", "baffffffff616101"), ("lies: a map of 2^64 - 1", "bbffffffffffffffff616101"),
    ("nesting: 21 arrays in a body", encode(nested(19)).hex()),
    ("nesting: 21 maps in a body", encode(nested(19, in_map)).hex()),
    ("nesting: 21 with an empty array", encode(nested(18, innermost=[])).hex()),
    ("nesting: 4000 arrays", "81" * 4000 + "00"), ("nesting: 4000 arrays, cut off", "81" * 4000),
    ("nesting: 2000 maps", "a16161" * 2000 + "00"),
]


def repeating(map_, key):
    """The map with one of its keys a second time."""
    once = encode(map_)
    return Raw((bytes([once[0] + 1]) + once[1:] + encode(key) + encode(map_[key])).hex())


def broken_items():
    for name, item in ITEMS:
        params = {"key": "k", "store": "runtime", "value": Raw(item)}
        result = {"found": True, "store": "runtime", "upd": False, "value": Raw(item)}
        malformed(f"{name}, to the dock", "dock", encode([1, ID, "kv.set", params]), ID)
        malformed(f"{name}, to the host", "host", encode([13, ID, result]))

    malformed("duplicate key: in params", "dock", encode([1, ID, "kv.get", repeating({"key": "timezone"}, "key")]), ID)
    malformed("duplicate key: in a failure", "host", encode([14, ID, repeating(failure("BUSY"), "code")]))
    malformed("duplicate key: in a hello", "dock", encode([0, repeating(HELLO, "nonce")]))
    malformed("key is an integer: in params", "dock", encode([1, ID, "kv.get", {"key": "k", 1: 2}]), ID)
    malformed("UTF-8: the operation", "dock", encode([1, ID, Raw("62c080"), {}]), ID)
    malformed("UTF-8: a code", "host", encode([14, ID, {**failure("BUSY"), "code": Raw("61ff")}]))
    malformed("UTF-8: a log", "host", encode([20, "info", Raw("63eda080")]))
    malformed("indefinite: params", "dock", encode([1, ID, "dock.info", Raw("bfff")]), ID)
    malformed("indefinite: data", "dock", encode([2, ID, 0, Raw("5f4101ff")]))
    malformed("not shortest: an offset", "dock", encode([2, ID, Raw("1800"), b"x"]))
    malformed("not shortest: the length of data", "host", encode([16, ID, 0, Raw("590003010203")]))
    malformed("not shortest: the type", "dock", b"\x84\x18\x01" + REQUEST[2:])
    malformed("not shortest: the id", "dock", b"\x84\x01\x18\x07" + REQUEST[3:])
    malformed("tag: the id", "dock", b"\x84\x01\xc2\x41\x07" + REQUEST[3:])
    malformed("tag: the type", "dock", b"\x84\xc1\x01" + REQUEST[2:])
    malformed("tag: of an unknown message", "dock", encode([9, Raw("c001")]))
    malformed("tag: params", "dock", encode([1, ID, "dock.info", Raw("d90103a0")]), ID)
    malformed("tag: data", "host", encode([16, ID, 0, Raw("d84043010203")]))

    for to, body, answer in [("dock", REQUEST, ID), ("host", DATA, None)]:
        malformed(f"trailing: 00, to the {to}", to, body + b"\0", answer)
        malformed(f"trailing: null, to the {to}", to, body + b"\xf6", answer)
        malformed(f"trailing: a break, to the {to}", to, body + b"\xff", answer)
        malformed(f"trailing: the same again, to the {to}", to, body + body, answer)
        malformed(f"trailing: its CRC once more, to the {to}", to, body + crc(body), answer)
        malformed(f"cut off: the last byte of a body, to the {to}", to, body[:-1], answer)
        malformed(f"count: one item more than there are, to the {to}", to, bytes([body[0] + 1]) + body[1:], answer)
        malformed(f"count: one item less than there are, to the {to}", to, bytes([body[0] - 1]) + body[1:], answer)
    for id_ in [1, 24, 65536, U32]:
        body = encode([1, id_, "dock.info", {}])
        malformed(f"trailing: 00 after a request with the id {id_}", "dock", body + b"\0", id_)
    malformed("cut off: after the id", "dock", REQUEST[:3], ID)
    malformed("cut off: in the id", "dock", b"\x84\x01\x1a\x01\x02")
    malformed("cut off: after the type", "dock", REQUEST[:2])
    malformed("cut off: the array's head alone", "dock", b"\x81")
    malformed("count: one item, and an id that isn't in it", "dock", b"\x81\x01\x07")


# What isn't a type; false for what a decoder to plain numbers doesn't see, or what breaks 1.3.
TYPES = [
    ("text", "hello", True), ("null", None, True), ("true", True, True), ("bytes", b"\x01", True),
    ("an array", [], True), ("a map", {}, True), ("1.5", f64(1.5), True), ("-1", -1, True), ("-2^63", -(2**63), True),
    ("2^63", 2**63, False),
]


def broken_types():
    for name, item, sees in TYPES:
        for to in ["dock", "host"]:
            breaks = side_rule("host" if to == "dock" else "dock") if sees else None
            malformed(f"type is {name}, to the {to}", to, encode([item, ID, "kv.get", {}]), None, breaks)
    # A 00 at the beginning makes 01 the first code; 131 other bytes then make the second that of an array.
    for first in range(1, 255):
        body = b"\0" + bytes([first]) + filler(126)
        if 0 not in crc(body):
            malformed("a body that isn't an array, although its frame looks like it", "dock", body)
            break

    for type_ in [6, 7, 8, 9, 10, 11]:
        broken(f"unknown: type {type_}, to the dock", "dock", frame(encode([type_, ID, {}])), "unknown")
    for type_ in [21, 23, 24, 255, 256, 65536, 2**32, 2**63 - 1]:
        broken(f"unknown: type {type_}, to the host", "host", frame(encode([type_, ID, {}])), "unknown")
    broken("unknown: a type alone, to the dock", "dock", frame(encode([11])), "unknown")
    broken("unknown: a type alone, to the host", "host", frame(encode([21])), "unknown")
    broken("unknown: 23 items", "host", frame(encode([21] + [None] * 22)), "unknown")
    for type_, message in SAMPLES.items():
        broken(f"echo: type {type_}, {RULES[type_]}, comes back", sender(type_), frame(encode(message)), "echo")


# For each kind of item in a message, what it can't be; false for what a decoder to plain numbers doesn't see.
WRONG = {
    "map": [("null", None, True), ("an array", [], True), ("text", "map", True)],
    "text": [("null", None, True), ("bytes", b"kv.get", True), ("an integer", 0, True)],
    "bytes": [("null", None, True), ("text", "data", True), ("empty", b"", True), ("an array", [1, 2], True)],
    "id": [("0", 0, True), ("2^32", 2**32, True), ("-1", -1, True), ("text", "7", True), ("null", None, True),
           ("7.5", f64(7.5), True), ("2^53", 2**53, True)],
    "u32": [("2^32", 2**32, True), ("-1", -1, True), ("text", "0", True), ("null", None, True), ("1.5", f64(1.5), True),
            ("bytes", b"\0", True)],
}


def broken_shapes():
    for type_, message in SAMPLES.items():
        to, rule = receiver(type_), side_rule(sender(type_))
        name = f"type {type_}, {RULES[type_]}"
        for count in range(1, len(message)):
            answer = ID if type_ == 1 and count > 1 else None
            malformed(f"{name}: {count} of {len(message)} items", to, encode(message[:count]), answer, rule)
        malformed(f"{name}: one item too many", to, encode([*message, None]), ID if type_ == 1 else None, rule)
        for at, kind in enumerate(SHAPES[type_], 1):
            for what, item, shape in WRONG[kind]:
                body = encode([*message[:at], item, *message[at + 1 :]])
                answer = ID if type_ == 1 and at > 1 else None
                malformed(f"{name}: item {at} is {what}", to, body, answer, rule if shape else None)
    malformed("type 20, log: a level that there isn't", "host", encode([20, "loud", "x"]), None, "dock-message")
    # That one item is at least another, CDDL has no words for.
    for type_ in [4, 18]:
        for from_, to in [(1, 0), (8192, 8191), (U32, 0), (U32, U32 - 1)]:
            body = encode([type_, ID, from_, to, U32])
            malformed(f"type {type_}, {RULES[type_]}: from {from_} to {to}", receiver(type_), body)
    malformed("failure: id 0 without the code VERSION", "host", encode([14, 0, failure("BUSY")]), None, "dock-message")


MAPS = [
    *((0, HELLO, f"without {key}", {key: ...}) for key in HELLO),
    (0, HELLO, "no versions", {"versions": []}), (0, HELLO, "nine versions", {"versions": list(range(1, 10))}),
    (0, HELLO, "a version that is text", {"versions": ["1"]}), (0, HELLO, "versions is an integer", {"versions": 1}),
    (0, HELLO, "a nonce of 7 bytes", {"nonce": NONCE[:7]}), (0, HELLO, "a nonce of 9 bytes", {"nonce": NONCE + b"x"}),
    (0, HELLO, "a nonce of text", {"nonce": "12345678"}), (0, HELLO, "an empty nonce", {"nonce": b""}),
    (0, HELLO, "maxBody 511", {"maxBody": 511}), (0, HELLO, "maxBody 65537", {"maxBody": 65537}),
    (0, HELLO, "maxBody -512", {"maxBody": -512}), (0, HELLO, "maxBody is text", {"maxBody": "8256"}),
    (0, HELLO, "maxBody is null", {"maxBody": None}), (0, HELLO, "software of 65 bytes", {"software": "x" * 65}),
    (0, HELLO, "software of 33 characters, 66 bytes", {"software": "é" * 33}),
    (0, HELLO, "software is bytes", {"software": b"x"}),
    (0, HELLO, "a session of 7 bytes", {"session": SESSION[:7]}),
    (0, HELLO, "a session of 9 bytes", {"session": SESSION + b"x"}),
    (0, HELLO, "a session of text", {"session": "12345678"}), (0, HELLO, "an empty session", {"session": b""}),
    (0, HELLO, "session is an integer", {"session": 12345678}), (0, HELLO, "session is null", {"session": None}),
    *((12, WELCOME, f"without {key}", {key: ...}) for key in WELCOME),
    *((12, WELCOME, f"a dock without {key}", {"dock": without(DOCK, key)}) for key in DOCK),
    *((12, WELCOME, f"a limit {key} missing", {"limits": without(LIMITS, key)}) for key in LIMITS),
    *((12, WELCOME, f"a limit {key} too low", {"limits": {**LIMITS, key: LEAST[key] - 1}}) for key in LIMITS),
    *((12, WELCOME, f"a limit {key} too high", {"limits": {**LIMITS, key: MOST[key] + 1}}) for key in LIMITS),
    (12, WELCOME, "a limit that is text", {"limits": {**LIMITS, "window": "49152"}}),
    (12, WELCOME, "version is text", {"version": "1"}), (12, WELCOME, "a nonce of 7 bytes", {"nonce": NONCE[:7]}),
    (12, WELCOME, "a bootId of 9 bytes", {"bootId": BOOT + b"x"}), (12, WELCOME, "dock is text", {"dock": "RW02-0005"}),
    (12, WELCOME, "an id of 65 bytes", {"dock": {**DOCK, "id": "x" * 65}}),
    (12, WELCOME, "a model of 33 bytes", {"dock": {**DOCK, "model": "x" * 33}}),
    (12, WELCOME, "a name of 65 bytes", {"dock": {**DOCK, "name": "x" * 65}}),
    (12, WELCOME, "limits is an array", {"limits": []}), (12, WELCOME, "17 features", {"features": ["x"] * 17}),
    (12, WELCOME, "a feature of 17 bytes", {"features": ["x" * 17]}),
    (12, WELCOME, "a feature that is an integer", {"features": [1]}),
    (12, WELCOME, "features is a map", {"features": {}}), (12, WELCOME, "no layer", {"stores": []}),
    (12, WELCOME, "four layers", {"stores": [*LAYERS, "runtime"]}),
    (12, WELCOME, "a layer that there isn't", {"stores": ["flash"]}),
    (12, WELCOME, "stores is text", {"stores": "runtime"}),
    (12, WELCOME, "resumed is 1", {"resumed": 1}), (12, WELCOME, "resumed is 0", {"resumed": 0}),
    (12, WELCOME, "resumed is text", {"resumed": "true"}), (12, WELCOME, "resumed is null", {"resumed": None}),
    *((14, failure("BUSY", True), f"without {key}", {key: ...}) for key in ["code", "message", "retryable"]),
    (14, failure("BUSY", True), "the code is an integer", {"code": 5}),
    (14, failure("BUSY", True), "the message is null", {"message": None}),
    (14, failure("BUSY", True), "retryable is 1", {"retryable": 1}),
]


def broken_maps():
    for type_, map_, what, change in MAPS:
        map_ = {key: item for key, item in {**map_, **change}.items() if item is not ...}
        body = encode([type_, map_] if type_ in (0, 12) else [type_, ID, map_])
        malformed(f"{RULES[type_]}: {what}", receiver(type_), body, None, side_rule(sender(type_)))
    for what, change in [
        ("without nonce", {"nonce": ...}), ("a nonce of 4 bytes", {"nonce": b"1234"}),
        ("without versions", {"versions": ...}), ("a version that is text", {"versions": ["2"]}),
        ("without message", {"message": ...}), ("without retryable", {"retryable": ...}),
    ]:
        map_ = {key: item for key, item in {**REFUSAL, **change}.items() if item is not ...}
        malformed(f"refusal: {what}", "host", encode([14, 0, map_]), None, "dock-message")


# The maps of the operations with every key that they can have, and which of these may be absent.
SET = {"key": "k", "value": 1, "store": "runtime", "txn": 1}
FOUND = {"found": True, "value": 1, "store": "runtime", "upd": False}
PARTS = [
    ("kv.list", "params", {"store": "runtime", "cursor": CURSOR}, "store cursor"),
    ("kv.get", "params", {"key": "k", "store": "runtime"}, "store"),
    ("kv.set", "params", SET, "txn"),
    ("kv.delete", "params", without(SET, "value"), "txn"),
    ("image.list", "params", {"store": "runtime", "cursor": CURSOR}, "store cursor"),
    ("image.get", "params", {**GET, "store": "factory", "from": 1, "ifSha256": SHA}, "store from ifSha256"),
    ("image.get", "params", {"token": TOKEN, "from": 1, "ifSha256": SHA, "credit": 1}, "from ifSha256"),
    ("image.token", "params", {"tag": "a", "store": "runtime"}, "store"),
    ("image.put", "params", {**PUT, "txn": 1}, "txn"),
    ("image.delete", "params", {"tag": "a", "store": "runtime", "txn": 1}, "txn"),
    ("txn.begin", "params", {"store": "runtime", "replace": True}, "replace"),
    ("txn.commit", "params", {"txn": 1}, ""),
    ("txn.rollback", "params", {"txn": 1}, ""),
    ("dock.info", "result", INFO, ""),
    ("kv.list", "result", {"entries": [["a", "runtime", 1, True]], "generation": 9, "cursor": CURSOR}, "cursor"),
    ("kv.get", "result", FOUND, ""),
    ("kv.set", "result", {"generation": 4}, ""),
    ("kv.delete", "result", CHANGE, ""),
    ("image.list", "result", {"entries": [["a", "png", 1, "runtime"]], "generation": 9, "cursor": CURSOR}, "cursor"),
    ("image.get", "head", {**HEAD, "sha256": SHA}, "tag sha256"),
    ("image.get", "result", {"size": 8192, "sha256": SHA}, ""),
    ("image.token", "result", {"token": TOKEN, "store": "runtime"}, ""),
    ("image.put", "result", CHANGE, ""),
    ("image.delete", "result", CHANGE, ""),
    ("txn.begin", "result", {"txn": 1}, ""),
    ("txn.commit", "result", {"generation": 5}, ""),
    ("code.info", "result", {"size": 1, "crc32": 1}, ""),
]
NAME = [("empty", ""), ("bytes", b"a"), ("null", None), ("an integer", 5)]
LAYER = [("one that there isn't", "flash"), ("in capitals", "RUNTIME"), ("null", None), ("an integer", 1)]
INTEGER = [("text", "1"), ("null", None), ("1.5", f64(1.5))]
NUMBER = [("-1", -1), ("2^32", 2**32), ("text", "1"), ("null", None), ("0.5", f64(0.5))]
BOOLEAN = [("1", 1), ("null", None), ("text", "true")]
KEYS = {
    "key": NAME, "tag": NAME, "store": LAYER, "generation": NUMBER, "txn": NUMBER, "size": NUMBER, "credit": NUMBER,
    "from": NUMBER, "crc32": NUMBER, "capacity": NUMBER, "used": NUMBER, "upd": BOOLEAN, "existed": BOOLEAN,
    "replace": BOOLEAN, "found": BOOLEAN, "value": [],
    "sha256": [("31 bytes", SHA[:31]), ("33 bytes", SHA + b"x"), ("hex", SHA.hex()), ("null", None)],
    "ifSha256": [("31 bytes", SHA[:31]), ("33 bytes", SHA + b"x"), ("hex", SHA.hex()), ("null", None)],
    "cursor": [("text", "next"), ("193 bytes", filler(193)), ("an integer", 1), ("null", None)],
    "token": [("empty", b""), ("65 bytes", filler(65)), ("text", "token"), ("null", None)],
    "type": [("one that there isn't", "gif"), ("in capitals", "PNG"), ("null", None)],
    "entries": [("a map", {}), ("null", None), ("not of arrays", ["a"]), ("of an empty one", [[]])],
    "id": [("65 bytes", "x" * 65), ("bytes", b"x")], "name": [("65 bytes", "x" * 65), ("null", None)],
    "model": [("33 bytes", "x" * 33), ("null", None)], "firmware": [("33 bytes", "x" * 33), ("null", None)],
    "sdk": [("33 bytes", "x" * 33), ("null", None)], "bootId": [("7 bytes", BOOT[:7]), ("text", "12345678")],
    "uptimeMs": [("-1", -1), ("2^53", 2**53), ("text", "1")],
    "features": [("text", "txn"), ("of integers", [1]), ("17", ["x"] * 17)],
    "stores": [("empty", []), ("a map", {}), ("four", INFO["stores"] + INFO["stores"][:1]), ("of text", LAYERS)],
}
# What a list of wrong items for each key doesn't bring about.
PARTS_MORE = [
    ("image.get", "params", "neither tag nor token", {"credit": 0}),
    ("image.get", "params", "tag and token", {**GET, "token": TOKEN}),
    ("image.get", "params", "store and token", {"token": TOKEN, "store": "runtime", "credit": 0}),
    ("kv.get", "result", "nothing", {}), ("kv.get", "result", "found alone", {"found": True}),
    *(("kv.get", "result", f"missing, with {key}", {"found": False, key: FOUND[key]})
      for key in ["value", "store", "upd"]),
    *(("dock.info", "result", f"a layer without {key}", {**INFO, "stores": [without(INFO["stores"][0], key)]})
      for key in INFO["stores"][0]),
    *(("dock.info", "result", f"{key} of a layer is {what}", {**INFO, "stores": [{**INFO["stores"][0], key: item}]})
      for key in INFO["stores"][0] for what, item in KEYS[key]),
    *((op, "result", f"an entry of {len(entry)} items", {"entries": [entry], "generation": 9}) for op, entry in [
        ("kv.list", ["a", "runtime", 1]), ("kv.list", ["a", "runtime", 1, True, None]),
        ("image.list", ["a", "png", 1]), ("image.list", ["a", "png", 1, "runtime", SHA, None]),
    ]),
]
ENTRIES = [
    ("kv.list", ["a", "runtime", 1, True], [NAME, LAYER, NUMBER, BOOLEAN]),
    ("image.list", ["a", "png", 1, "runtime"], [NAME, KEYS["type"], NUMBER, LAYER]),
    ("image.list", ["a", "png", 1, "runtime", SHA], [[], [], [], [], KEYS["sha256"]]),
]
# Where CDDL has no words for what is wrong, or a decoder to plain numbers doesn't see it.
PARTS_BEYOND_CDDL = [
    ("image.get", "params", "a tag with U+0000", {**GET, "tag": "a\0b"}),
    ("kv.get", "params", "a key with U+0000", {"key": "\0"}),
    ("kv.set", "params", "a value nested 17 deep", {**SET, "value": nested(17)}),
    ("kv.set", "params", "a value of maps nested 17 deep", {**SET, "value": nested(17, in_map)}),
    ("kv.get", "result", "a value nested 17 deep", {**FOUND, "value": nested(17)}),
]


def broken_parts():
    for op, part, full, optional in PARTS:
        by = " by token" if "token" in full and part == "params" else ""
        for key in full:
            if key not in optional.split():
                broken_part(op, part, f"without {key}{by}", without(full, key))
            for what, item in KEYS[key]:
                broken_part(op, part, f"{key} is {what}{by}", {**full, key: item})
    for op, part, what, map_ in PARTS_MORE:
        broken_part(op, part, what, map_)
    for op, entry, kinds in ENTRIES:
        for at, kind in enumerate(kinds):
            for what, item in kind:
                wrong = [*entry[:at], item, *entry[at + 1 :]]
                map_ = {"entries": [entry, wrong], "generation": 9}
                broken_part(op, "result", f"item {at + 1} of an entry is {what}", map_)
    for op, part, what, map_ in PARTS_BEYOND_CDDL:
        broken_part(op, part, what, map_, sees=False)


def broken_part(op, part, what, map_, sees=True):
    message = {"params": [1, ID, op, map_], "result": [13, ID, map_], "head": [15, ID, map_]}[part]
    body = encode(message)
    breaks = f"{op.replace('.', '-')}-{part}" if sees else None
    answer = {"answer": ID} if part == "params" else {}
    broken(f"{part} of {op}: {what}", receiver(message[0]), frame(body), "malformed", body=body, breaks=breaks,
           **answer, op=True)


TEXTS = [
    ("a line", b"MicroPython v1.27 on DL-7450\r\n", b""), ("a prompt", b">>> ", b""), ("one byte", b"\n", b""),
    ("two bytes", b"ok", b""), ("bell, backspace, tab", b"\x07\x08\t\x0b\x0c\r\n", b""),
    ("escape sequences", b"\x1b[1;31mTraceback\x1b[0m (most recent call last):\r\n", b""),
    ("UTF-8 after ASCII", "Grüße, 世界 🎉\n".encode(), b""), ("begins with é", "été\n".encode(), b""),
    ("begins with 世", "世界\n".encode(), b""), ("begins with 🎉", "🎉\n".encode(), b""),
    ("bytes that aren't UTF-8", b"ok \xff\xfe done\n", b""), ("UTF-8 cut off at the end", b"ok \xe2\x82", b""),
    ("one byte that isn't UTF-8", b"\xc3", b""),
    ("5,000 bytes, longer than the longest frame", b"0123456789" * 500, b""),
    ("a body written out", b"[1, 7, 'kv.get', {}]", b""), ("then binary", b"boot ok\r\n", b"\x01\x02\x03abc"),
    ("then a frame, no delimiter between", b"boot", frame(REQUEST)), ("then DEL", b"ab", b"\x7fcd"),
    ("then binary, then text again", b"one", b"\x05two"), ("telnet's first bytes", b"\xff\xfb", b"\x03\xff\xfd\x03"),
    ("5,000 bytes, then binary", b"0123456789" * 500, b"\x01" * 500),
    ("a frame whose body is text", frame(b"\x61a")[:4], frame(b"\x61a")[4:]),
]

NOISES = [
    ("three bytes", b"\x01\x02\x03"), ("one byte", b"\x01"), ("one byte DEL", b"\x7f"), ("two bytes", b"\x1c\x1d"),
    ("a binary second byte", b"a\x01bcdef"), ("a binary first byte", b"\x01abcdef"),
    ("10,000 bytes, longer than the longest frame", b"\x01\x02" * 5000), ("an empty body with its CRC", frame(b"")),
    ("the body is an empty array", frame(b"\x80")), ("the body is an integer", frame(b"\x05")),
    ("the body is an array of 24 items", frame(encode([1] * 24))),
    ("the body is an array of indefinite length", frame(b"\x9f" + REQUEST[1:] + b"\xff")),
]


def broken_text():
    for name, text, rest in TEXTS:
        broken(f"text: {name}", "host", text + rest, "text", FIRST, text=text.decode("utf-8", "replace"),
               **({"noise": True} if rest else {}))
    for name, run in NOISES:
        broken(f"noise: {name}", "host", run, "noise", FIRST)
    broken("noise: to the dock", "dock", b"\x01\x02\x03", "noise")
    # Why SPEC 1.5 wants text to begin with an ASCII character: the second byte of Ä is that of an array, too.
    broken("cobs: text that looks like a frame, since it begins with Ä", "host", "Ärger\n".encode(), "cobs")


# --- A receiver, from SPEC 1.4, to put the vectors to ----------------------------------------------------------------

TEXT_BYTES = {*range(0x07, 0x0E), 0x1B, *range(0x20, 0x7F), *range(0x80, 0x100)}
ARRAY_HEADS = range(0x81, 0x98)


class Malformed(Exception):
    pass


def longest_frame(limit):
    return limit + 4 + (limit + 4) // 254 + 1


def receive(run, to, limit):
    """What comes of the bytes between two delimiters. Of a message it looks at the items, not at the keys of maps."""
    if not run:
        return {"outcome": "empty"}
    if len(run) == 1 or run[1] not in ARRAY_HEADS:
        return receive_text(run)
    if len(run) > longest_frame(limit):
        return {"outcome": "oversize"}
    try:
        data = uncobs(run)
    except ValueError:
        return {"outcome": "cobs"}
    body = data[:-4]
    if len(data) < 5 or data[-4:] != crc(body):
        return {"outcome": "crc"}
    try:
        message, end = walk(body, 0, 0)
        if end != len(body):
            raise Malformed("trailing bytes")
        return receive_message(message, to)
    except Malformed:
        return {"outcome": "malformed", **answer_of(body, to)}


def receive_text(run):
    if not all(byte in TEXT_BYTES for byte in run[:2]):
        return {"outcome": "noise"}
    end = next((at for at, byte in enumerate(run) if byte not in TEXT_BYTES), len(run))
    text = run[:end].decode("utf-8", "replace")
    return {"outcome": "text", "text": text, **({"noise": True} if end < len(run) else {})}


def receive_message(message, to):
    if not isinstance(message, list) or type(message[0]) is not int or message[0] < 0:
        raise Malformed("no type")
    type_, *items = message
    if receiver(type_) != to:
        return {"outcome": "echo"}
    if type_ not in SHAPES:
        return {"outcome": "unknown"}
    if len(items) != len(SHAPES[type_]):
        raise Malformed("number of items")
    refusal = type_ == 14 and items[0] == 0 and isinstance(items[1], dict) and items[1].get("code") == "VERSION"
    for item, kind in zip([1, items[1]] if refusal else items, SHAPES[type_]):
        if not {
            "map": lambda: isinstance(item, dict),
            "text": lambda: isinstance(item, str),
            "bytes": lambda: isinstance(item, bytes) and len(item) > 0,
            "id": lambda: type(item) is int and 1 <= item <= U32,
            "u32": lambda: type(item) is int and 0 <= item <= U32,
        }[kind]():
            raise Malformed(f"not {kind}")
    if type_ in (4, 18) and items[2] < items[1]:
        raise Malformed("to before from")
    return {"outcome": "good"}


def answer_of(body, to):
    """The id of a body that begins with [1, id: the one dropped frame that a dock answers."""
    try:
        if to == "dock" and body[0] in ARRAY_HEADS and body[0] > 0x81 and body[1] == 1:
            id_, _ = walk(body, 2, 1)
            if type(id_) is int and 1 <= id_ <= U32:
                return {"answer": id_}
    except (Malformed, IndexError):
        pass
    return {}


def walk(body, at, depth):
    """The item that begins there, by SPEC 1.3, and where it ends."""
    if at >= len(body):
        raise Malformed("cut off")
    major, info = body[at] >> 5, body[at] & 31
    at += 1
    if major == 7:
        return walk_simple(body, at, info)
    if info < 24:
        number = info
    elif info < 28:
        width = 1 << (info - 24)
        number = int.from_bytes(take(body, at, width), "big")
        if number < (24 if width == 1 else 1 << (4 * width)):
            raise Malformed("not shortest")
        at += width
    else:
        raise Malformed("indefinite or reserved")
    if major < 2:
        if number >= 2**63:
            raise Malformed("beyond 64 bits")
        return (number if major == 0 else -1 - number), at
    if major < 4:
        content = take(body, at, number)
        try:
            return (content if major == 2 else content.decode("utf-8")), at + number
        except UnicodeDecodeError as error:
            raise Malformed("UTF-8") from error
    if major == 6:
        raise Malformed("tag")
    if depth == 20:
        raise Malformed("nesting")
    items = [] if major == 4 else {}
    for _ in range(number):
        item, at = walk(body, at, depth + 1)
        if major == 4:
            items.append(item)
            continue
        if not isinstance(item, str) or item in items:
            raise Malformed("key")
        items[item], at = walk(body, at, depth + 1)
    return items, at


def walk_simple(body, at, info):
    if info in (20, 21, 22):
        return {20: False, 21: True, 22: None}[info], at
    if info in (25, 26, 27):
        width, form = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}[info]
        return struct.unpack(form, take(body, at, width))[0], at + width
    raise Malformed("simple value")


def take(body, at, count):
    if at + count > len(body):
        raise Malformed("cut off")
    return body[at : at + count]


# --- Checking and writing --------------------------------------------------------------------------------------------


def check_good(vector):
    name, body, line = vector["name"], bytes.fromhex(vector["body"]), bytes.fromhex(vector["line"])
    run, limit = line[1:-1], vector.get("maxBody", USUAL)
    assert line[:1] == line[-1:] == b"\0" and 0 not in run, name
    assert uncobs(run) == body + crc(body), name
    assert len(body) <= (FIRST if body[1] in (0, 12) else limit), f"{name}: {len(body)} bytes"
    assert tagged(cbor2.loads(body)) == vector["message"], name
    assert receive(run, "dock" if vector["from"] == "host" else "host", limit) == {"outcome": "good"}, name


def check_broken(vector):
    name, expect, line = vector["name"], vector["expect"], bytes.fromhex(vector["line"])
    run = line.strip(b"\0")
    got = receive(run, vector["to"], vector["maxBody"])
    if got["outcome"] == "good":
        # What is wrong is inside of a map. That it is, the test of the CDDL says.
        assert vector.get("breaks") or expect.get("op"), f"{name}: nothing is wrong"
    else:
        assert got == expect, f"{name}: {got} instead of {expect}"
    assert 0 not in run, name
    if "body" in vector:
        assert walk(bytes.fromhex(vector["body"]), 0, 0)[1] * 2 == len(vector["body"]), name


def main():
    for fill in [
        good_messages, good_data, good_operations, good_values,
        broken_frames, broken_items, broken_types, broken_shapes, broken_maps, broken_parts, broken_text,
    ]:
        fill()
    assert REQUEST.hex() == "84010766" + "6b762e676574" + "a1636b657968" + "74696d657a6f6e65", "SPEC 1.2"
    assert frame(REQUEST).hex() == "1d" + REQUEST.hex() + "3c65266b", "SPEC 1.2"
    for vectors, check in [(GOOD, check_good), (BROKEN, check_broken)]:
        names = [vector["name"] for vector in vectors]
        assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
        for vector in vectors:
            check(vector)

    stale = []
    for file, vectors in [("good.json", GOOD), ("broken.json", BROKEN)]:
        text = "[\n" + ",\n".join(json.dumps(vector) for vector in vectors) + "\n]\n"
        path = HERE / file
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="ascii")
            print(f"{path}: {len(vectors)} vectors")
        elif not path.exists() or path.read_text(encoding="ascii") != text:
            stale.append(file)
    if stale:
        sys.exit(f"{' and '.join(stale)} aren't what generate.py makes: run it, and look at what changed")


if __name__ == "__main__":
    main()
