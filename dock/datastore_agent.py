"""Serves the datastore of a DL-7450 on a byte stream, by the Dock Datastore Protocol (protocol/SPEC.md; § is a section of it).

Sent to a dock as its application, it serves `sys.stdin.buffer` and `sys.stdout.buffer`; see the last lines. An application imports it:

    from wakeup import Timer
    from datastore_agent import Agent

    agent = Agent(source, sink)
    timer = Timer(agent.poll, 0, Agent.EVERY_MS)

It is written for the dock's MicroPython, with calls that the SDK documents. What the SDK only announces is used where the firmware has it:
see `layers_of`. `poll` never waits: it does what is at hand for some milliseconds and returns. Images are sent from where `ImageStore.get`
has them, and the agent makes no copy of its own; what it holds itself is a frame's buffer for each way, and some kilobytes.
"""

import hashlib
import time

import datastore
import image
from dock import DockInfo

VERSION = 1
ZERO = b"\x00"
ONE = b"\x01"
ZEROS, ONES = memoryview(bytes(128)), memoryview(b"\x01" * 128)  # zeros in a row, and what COBS makes of them

# Messages (§2).
HELLO, REQUEST, HOST_DATA, HOST_CREDIT, HOST_RESEND, CANCEL = range(6)
WELCOME, RESULT, FAILURE, HEAD, DATA, CREDIT, RESEND, PENDING = range(12, 20)

U32 = 0xFFFFFFFF
LEAST, MOST = -(1 << 63), (1 << 63) - 1  # integers (§1.3)
HANDSHAKE_BODY = 512  # bytes of a body before the handshake is through (§9.1)
DEEPEST, DEEPEST_VALUE = 20, 16  # arrays and maps in a body, and in a value (§1.3, §6)
OVERHEAD = 17  # bytes of a data message beside its data (§5.1)
REMEMBERED = 65  # answers to writes, and cancels (§4.3): one more than must be, since one may be taken back
RANGES = 16  # to be sent again, for each stream (§5.4)
LAYERS = ("factory", "runtime", "ephemeral")
NESTED, BYTES = (list, tuple, dict), (bytes, bytearray, memoryview)  # once: a tuple in a call is made anew each time
TYPES = ("none", "png", "bmp", "jpeg")
CAPACITY = 13000000  # bytes of a layer, as the vendor says
ENOSPC = 28  # what an OSError is about
HASHED = 16384  # bytes that a step hashes


class Malformed(Exception):
    """Bytes that aren't what §1.3 or §2 asks for."""


class Refused(Exception):
    """A request that is answered with a failure (§8)."""

    def __init__(self, code, message, **details):
        super().__init__(message)
        self.failure = {"code": code, "message": message, "retryable": code in ("BUSY", "INTEGRITY")}
        self.failure.update(details)


# --- CRC-32 (§1.2) ---------------------------------------------------------------------------------------------------

try:
    from binascii import crc32
except ImportError:  # the SDK documents none
    LOW, HIGH = [], []  # halves of the usual table: integers of 32 bits would each take memory
    for byte in range(256):
        low, high = byte, 0
        for _ in range(8):
            odd = low & 1
            low, high = low >> 1 | (high & 1) << 15, high >> 1
            if odd:
                low, high = low ^ 0x8320, high ^ 0xEDB8
        LOW.append(low)
        HIGH.append(high)

    def crc32(data, crc=0):
        low, high = crc & 0xFFFF ^ 0xFFFF, crc >> 16 ^ 0xFFFF
        for byte in data:
            at = (low ^ byte) & 0xFF
            low, high = (low >> 8 | (high & 0xFF) << 8) ^ LOW[at], high >> 8 ^ HIGH[at]
        return (high ^ 0xFFFF) << 16 | low ^ 0xFFFF


# --- CBOR (§1.3) -----------------------------------------------------------------------------------------------------


def encode(item):
    """An item as a bytearray, which is where it ends up: an object for each of its parts would take far more."""
    out = bytearray()
    encode_into(out, item)
    return out


def encode_head(out, major, count):
    """The first bytes of an item."""
    if count < 24:
        out.append(major << 5 | count)
        return
    size = 1 if count < 0x100 else 2 if count < 0x10000 else 4 if count <= U32 else 8
    out.append(major << 5 | (24 if size == 1 else 25 if size == 2 else 26 if size == 4 else 27))
    out.extend(count.to_bytes(size, "big"))


def encode_into(out, item):
    if item is None:
        out.append(0xF6)
    elif isinstance(item, bool):
        out.append(0xF5 if item else 0xF4)
    elif isinstance(item, int):
        if not LEAST <= item <= MOST:
            raise ValueError("an integer beyond 64 bits")
        if item >= 0:
            encode_head(out, 0, item)
        else:
            encode_head(out, 1, -1 - item)
    elif isinstance(item, float):
        out.append(0xFB)
        out.extend(bits_of(item).to_bytes(8, "big"))
    elif isinstance(item, str):
        text = item.encode()
        encode_head(out, 3, len(text))
        out.extend(text)
    elif isinstance(item, BYTES):
        encode_head(out, 2, len(item))
        out.extend(item)
    elif isinstance(item, list) or isinstance(item, tuple):
        encode_head(out, 4, len(item))
        for it in item:
            encode_into(out, it)
    elif isinstance(item, dict):
        encode_head(out, 5, len(item))
        for key in item:
            if not isinstance(key, str):
                raise ValueError("a key that isn't text")
            encode_into(out, key)
            encode_into(out, item[key])
    else:
        raise ValueError("a value of type " + type(item).__name__)


STEPS = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)


def bits_of(x):
    """The 64 bits of IEEE 754, by arithmetic: the dock's Python has no struct."""
    if x != x:
        return 0x7FF8 << 48
    sign = (1 if str(x)[0] == "-" else 0) << 63
    rest = -x if x < 0 else x
    if rest > 1.7976931348623157e308:
        return sign | 0x7FF << 52
    if rest < 2.2250738585072014e-308:  # zero, or subnormal
        return sign | int(rest * 2.0**537 * 2.0**537)
    exponent = 0
    for step in STEPS:
        if rest >= 2.0**step:
            rest /= 2.0**step
            exponent += step
        elif rest < 2.0 ** (1 - step):
            rest *= 2.0**step
            exponent -= step
    return sign | exponent + 1023 << 52 | int(rest * 2.0**52) - (1 << 52)


def float_of(bits, exponent_bits, mantissa_bits):
    """What the bits of a float stand for."""
    mantissa = bits & (1 << mantissa_bits) - 1
    exponent = bits >> mantissa_bits & (1 << exponent_bits) - 1
    bias = (1 << exponent_bits - 1) - 1
    if exponent == (1 << exponent_bits) - 1:
        value = float("nan") if mantissa else float("inf")
    elif exponent == 0:
        value = mantissa * 2.0 ** (1 - bias - mantissa_bits)
    else:
        value = float(mantissa | 1 << mantissa_bits) * 2.0 ** (exponent - bias - mantissa_bits)
    return -value if bits >> exponent_bits + mantissa_bits else value


class Reader:
    """Reads one item, and nothing else, of bytes that it doesn't copy. Byte strings are views of them."""

    def __init__(self, view):
        self.view = view
        self.at = 0

    def whole(self):
        item = self.item(0)
        if self.at != len(self.view):
            raise Malformed("bytes after the item")
        return item

    def take(self, count):
        at = self.at
        if count > len(self.view) - at:
            raise Malformed("an item is cut off")
        self.at = at + count
        return self.view[at : at + count]

    def byte(self):
        at = self.at
        if at == len(self.view):
            raise Malformed("an item is cut off")
        self.at = at + 1
        return self.view[at]

    def count(self, more):
        """A count, which has its shortest form."""
        if more < 24:
            return more
        if more > 27:
            raise Malformed("an indefinite length, or none")
        size = 1 << more - 24
        count = int.from_bytes(self.take(size), "big")
        if count < (24 if size == 1 else 1 << 4 * size):
            raise Malformed("a count that isn't in its shortest form")
        return count

    def item(self, depth):
        first = self.byte()
        major, more = first >> 5, first & 31
        if major == 7:
            return self.simple(more)
        count = self.count(more)
        if major < 2:
            if count >> 63:
                raise Malformed("an integer beyond 64 bits")
            return -1 - count if major else count
        if major == 2:
            return self.take(count)
        if major == 3:
            return text_of(self.take(count))
        if major == 6:
            raise Malformed("a tag")
        if depth == DEEPEST:
            raise Malformed("nested too deep")
        if count > len(self.view) - self.at:
            raise Malformed("an item is cut off")
        if major == 4:
            items = [None] * count
            for at in range(count):
                items[at] = self.item(depth + 1)
            return items
        found = {}
        for _ in range(count):
            key = self.item(depth + 1)
            if not isinstance(key, str) or key in found:
                raise Malformed("a key that isn't text, or stands twice")
            found[key] = self.item(depth + 1)
        return found

    def simple(self, more):
        if more == 20 or more == 21:
            return more == 21
        if more == 22:
            return None
        if 25 <= more <= 27:
            size = 1 << more - 24
            exponent = (0, 5, 8, 11)[more - 24]
            return float_of(int.from_bytes(self.take(size), "big"), exponent, 8 * size - 1 - exponent)
        raise Malformed("a simple value that isn't one of three")


def text_of(view):
    """Text, which is valid UTF-8: MicroPython itself takes surrogates and forms that are too long."""
    raw = bytes(view)
    try:
        text = str(raw, "utf-8")
    except ValueError:
        raise Malformed("text that isn't UTF-8")
    if len(text) == len(raw):
        return text
    size = 0
    for char in text:
        code = ord(char)
        if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            raise Malformed("text that isn't UTF-8")
        size += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
    if size != len(raw):
        raise Malformed("text that isn't UTF-8")
    return text


def owned(item):
    """An item without views of a buffer that is another frame's soon."""
    if isinstance(item, memoryview):
        return bytes(item)
    if isinstance(item, list):
        for at in range(len(item)):
            item[at] = owned(item[at])
    elif isinstance(item, dict):
        for key in item:
            item[key] = owned(item[key])
    return item


# --- Frames (§1.2) ---------------------------------------------------------------------------------------------------


def frame_size(body):
    """The most bytes that a frame of such a body has, without its delimiters (§1.4)."""
    return body + 4 + (body + 4) // 254 + 1


class FrameWriter:
    """Makes one frame at a time, in a buffer that it keeps."""

    def __init__(self, body):
        self.buffer = bytearray(frame_size(body) + 2)
        self.view = memoryview(self.buffer)
        self.group = self.at = 0

    def frame(self, body):
        """The frame of a body, with its delimiters: a view of the buffer."""
        return self.data_frame(body, b"", b"", 0, 0)

    def data_frame(self, head, source, view, begin, end):
        """The same of a body that is `head` and then a part of `source`, of which `view` is a view."""
        self.group, self.at = 1, 2
        check = crc32(head)
        self.stuff(head, head, 0, len(head))
        if end > begin:
            check = crc32(view[begin:end], check)
            self.stuff(source, view, begin, end)
        check = check.to_bytes(4, "little")
        self.stuff(check, check, 0, 4)
        self.buffer[self.group] = self.at - self.group
        self.buffer[0] = self.buffer[self.at] = 0
        return self.view[: self.at + 1]

    def stuff(self, source, view, begin, end):
        """Adds bytes, in groups: `group` is where the code of the open one belongs, which has 254 bytes at most."""
        buffer, out, group, at = self.buffer, self.view, self.group, self.at
        find = source.find
        while begin < end:
            room = 255 + group - at
            if room == 0:
                buffer[group] = 0xFF
                group, at, room = at, at + 1, 254
            zero = find(ZERO, begin, min(end, begin + room))
            # Where a zero is, more are near: all is copied as it is, and the zeros become codes.
            stop = min(end, begin + (room if zero < 0 else 512))
            out[at : at + stop - begin] = view[begin:stop]
            if zero < 0:
                begin, at = stop, at + stop - begin
                continue
            shift = at - begin
            while zero >= 0:
                at = zero + shift
                buffer[group] = at - group
                group, begin = at, zero + 1
                zero = find(ZERO, begin, min(stop, begin + 254))
                if zero == begin and begin + 1 < stop and source[begin + 1] == 0:
                    most = min(stop, begin + len(ONES))
                    count = most - begin - len(bytes(view[begin:most]).lstrip(ZERO))
                    out[group : group + count] = ONES[:count]
                    group, begin = group + count, begin + count
                    zero = find(ZERO, begin, min(stop, begin + 254))
            at = group + 1
        self.group, self.at = group, at


class FrameReader:
    """Cuts what comes into bodies, in one buffer that it keeps; what isn't a frame is dropped (§1.4, §1.5)."""

    def __init__(self, body):
        self.run = bytearray(frame_size(body))
        self.view = memoryview(self.run)
        self.length = 0
        self.is_too_long = False

    def drop(self):
        """Forgets what has come of a frame."""
        self.length = 0
        self.is_too_long = False

    def feed(self, chunk, view, begin, end):
        """Takes bytes up to the next delimiter. Gives how far it came, and the body of a frame that is whole, or None."""
        zero = chunk.find(ZERO, begin, end)
        if zero == begin and self.length == 0 and not self.is_too_long:
            return end - len(bytes(view[begin:end]).lstrip(ZERO)), None
        stop = end if zero < 0 else zero
        count = stop - begin
        if count > len(self.run) - self.length:
            self.is_too_long = True
        elif count > 0:
            self.view[self.length : self.length + count] = view[begin:stop]
            self.length += count
        if zero < 0:
            return end, None
        body = None if self.is_too_long else self.unstuffed(self.length)
        self.drop()
        return zero + 1, body

    def unstuffed(self, length):
        """The body where it lies: all but the first code stays where it is, as long as no group is full."""
        run, view = self.run, self.view
        if length < 2 or not 0x81 <= run[1] <= 0x97:
            return None
        at, out = run[0], run[0]  # where the next code is, and what comes before it goes to
        is_full = at == 0xFF
        while at < length:
            code = run[at]
            if not is_full:
                run[out] = 0
                out += 1
            if code == 1 and at + 1 < length and run[at + 1] == 1:  # zeros in a row
                most = min(length, at + len(ZEROS))
                count = most - at - 1 - len(bytes(view[at + 1 : most]).lstrip(ONE))
                view[out : out + count] = ZEROS[:count]
                out, at, is_full = out + count, at + count, False
                at += 1
                continue
            stop = at + code
            if stop > length:
                return None
            if out <= at and code > 1:
                view[out : out + code - 1] = view[at + 1 : stop]
            out += code - 1
            at, is_full = stop, code == 0xFF
        if at > length or out < 6 or crc32(view[1 : out - 4]).to_bytes(4, "little") != bytes(view[out - 4 : out]):
            return None
        return view[1 : out - 4]


# --- What requests are checked for (§4.5, §7) ------------------------------------------------------------------------


def is_text(it):
    return isinstance(it, str)


def is_whole(it, least, most):
    return isinstance(it, int) and not isinstance(it, bool) and least <= it <= most


def is_bytes(it, least, most):
    return isinstance(it, BYTES) and least <= len(it) <= most


def is_u32(it):
    return is_whole(it, 0, U32)


def is_name(it):
    return is_text(it) and it != "" and "\0" not in it


def is_layer(it):
    return it in LAYERS


def is_type(it):
    return it in TYPES


def is_token(it):
    return is_bytes(it, 1, 64)


def is_cursor(it):
    return is_bytes(it, 1, 192)


def is_sha256(it):
    return is_bytes(it, 32, 32)


def is_value(it, left=DEEPEST_VALUE):
    """Whether it is nested no deeper than a value is."""
    if not isinstance(it, NESTED):
        return True
    if left == 0:
        return False
    for inner in it.values() if isinstance(it, dict) else it:
        if not is_value(inner, left - 1):
            return False
    return True


PARAMS = {
    "dock.info": {},
    "kv.list": {"store?": is_layer, "cursor?": is_cursor},
    "kv.get": {"key": is_name, "store?": is_layer},
    "kv.set": {"key": is_name, "value": is_value, "store": is_layer, "txn?": is_u32},
    "kv.delete": {"key": is_name, "store": is_layer, "txn?": is_u32},
    "image.list": {"store?": is_layer, "cursor?": is_cursor},
    "image.get": {
        "tag?": is_name,
        "token?": is_token,
        "store?": is_layer,
        "from?": is_u32,
        "ifSha256?": is_sha256,
        "credit": is_u32,
    },
    "image.token": {"tag": is_name, "store?": is_layer},
    "image.put": {
        "tag": is_name,
        "type": is_type,
        "size": is_u32,
        "sha256": is_sha256,
        "store": is_layer,
        "txn?": is_u32,
    },
    "image.delete": {"tag": is_name, "store": is_layer, "txn?": is_u32},
}
WRITES = ("kv.set", "kv.delete", "image.put", "image.delete")


def malformed_unless(it):
    if not it:
        raise Refused("MALFORMED", "params that this operation doesn't take")


def check_params(op, params):
    for key, fits in PARAMS[op].items():
        name = key.rstrip("?")
        malformed_unless(fits(params[name]) if name in params else name != key)
    if op == "image.get":
        malformed_unless(("tag" in params) != ("token" in params) and not ("token" in params and "store" in params))
        malformed_unless(params["credit"] >= params.get("from", 0))


def is_of_type(data, kind):
    """Whether an image begins as one of its type does (§7.5)."""
    if kind == "png":
        return bytes(data[:8]) == b"\x89PNG\r\n\x1a\n"
    if kind == "jpeg":
        return bytes(data[:3]) == b"\xff\xd8\xff"
    if kind == "bmp":
        second = int.from_bytes(bytes(data[14:18]), "little")
        return bytes(data[:2]) == b"BM" and len(data) >= 18 and second in (12, 40, 52, 56, 64, 108, 124)
    return True


# --- The store (§6) --------------------------------------------------------------------------------------------------


def layers_of():
    """
    The layers that the firmware has, as they are asked. The SDK's preview has factory data, and no call that writes. It announces
    FACTORY_DATA and APPLICATION_DATA, which "pick whether to use application data or factory data", and stores "to store and retrieve",
    without saying how they are called; where the firmware has the two, they are given to the stores, and where these then have `set`,
    `put` and `delete`, application data can be written. They survive a restart, so they are the layer `runtime`.
    """
    factory = getattr(datastore, "FACTORY_DATA", None)
    application = getattr(datastore, "APPLICATION_DATA", None)
    if factory is None or application is None:
        return [Layer("factory", datastore.ImageStore(), datastore.KvStore())]
    return [
        Layer("runtime", datastore.ImageStore(application), datastore.KvStore(application)),
        Layer("factory", datastore.ImageStore(factory), datastore.KvStore(factory)),
    ]


class Layer:
    """One layer, by the SDK's calls. What they don't tell is counted here."""

    def __init__(self, name, images, keys):
        self.name, self.images, self.keys = name, images, keys
        self.can_write = name == "runtime" and all(
            hasattr(store, it) for store, it in ((images, "put"), (images, "delete"), (keys, "set"), (keys, "delete"))
        )
        self.generation = 0
        self.known = {}  # images by tag: size, type, SHA-256 where it was found
        self.written = {}  # tags by the generation that they were written in
        self.used = None  # bytes, once they are counted

    def tags(self):
        return [it for it in self.images.list() if self.can_be_said(it)]

    def names(self):
        """Keys. The SDK lists them; with their values in some of its texts."""
        names = [it[0] if isinstance(it, tuple) else it for it in self.keys.list()]
        return [it for it in names if self.can_be_said(it)]

    @staticmethod
    def can_be_said(name):
        """Whether the protocol has such names (§6)."""
        return is_name(name) and (len(name) < 64 or name_size(name) <= 255)

    def read(self, tag):
        """The bytes of an image, and what is known of it: size, type and SHA-256, where the last is None until it is found."""
        data, number = self.images.get(tag)
        if tag not in self.known:
            self.known[tag] = [len(data), type_of(number), None]
        return data, self.known[tag]

    def about(self, tag):
        """What is known of an image. The SDK tells it with its bytes only."""
        return self.known[tag] if tag in self.known else self.read(tag)[1]

    def hash_steps(self, data, about):
        """Finds an image's SHA-256."""
        if about[2] is None:
            view, found = memoryview(data), hashlib.sha256()
            for at in range(0, len(view), HASHED):
                found.update(view[at : at + HASHED])
                yield None
            about[2] = found.digest()

    def count_steps(self):
        """Finds how many bytes are used."""
        while self.used is None:
            generation, used = self.generation, 0
            for tag in self.tags():
                if generation == self.generation:  # or it may be gone
                    used += name_size(tag) + self.about(tag)[0]
                    yield None
            for key in self.names():
                if generation == self.generation:
                    used += name_size(key) + size_of(self.keys.get(key))
                    yield None
            if generation == self.generation:
                self.used = used

    def version(self, tag):
        """What an image's token stands for, beside its tag."""
        return self.written.get(tag, 0)

    def forget(self):
        """Somebody else has written: what is known may be wrong, tokens with it."""
        self.generation = self.generation + 1 & U32
        self.known, self.used = {}, None
        self.written = dict((tag, self.generation) for tag in self.tags())

    # Writes, made ready.

    def set_key(self, key, value):
        before = name_size(key) + size_of(self.keys.get(key)) if key in self.names() else 0
        after = name_size(key) + size_of(value)
        self.check_room(after, before)
        return Write(self, after - before, lambda: self.keys.set(key, value))

    def delete_key(self, key):
        """None where there is nothing to delete."""
        if key not in self.names():
            return None
        return Write(self, -name_size(key) - size_of(self.keys.get(key)), lambda: self.keys.delete(key))

    def put_image(self, tag, kind, data, sha256):
        """None where the tag has that image already."""
        about = self.about(tag) if tag in self.tags() else None
        if about is not None and about[1] == kind and about[2] == sha256:
            return None
        before = 0 if about is None else name_size(tag) + about[0]
        after = name_size(tag) + len(data)
        self.check_room(after, before)
        number = getattr(image, kind.upper())
        fresh = [len(data), kind, sha256]
        if about is None:
            self.known[tag] = fresh  # takes the place now
        write = Write(self, after - before, lambda: self.images.put(tag, data, number), tag, fresh)
        self.written[tag] = write.generation  # where it fails, tokens have ended without need
        return write

    def delete_image(self, tag):
        """None where there is nothing to delete."""
        if tag not in self.tags():
            return None
        return Write(self, -name_size(tag) - self.about(tag)[0], lambda: self.images.delete(tag), tag)

    def check_room(self, size, replaced, coming=0):
        """Fails unless something of a size has room in the place of what it replaces, beside what is coming; as far as that is known."""
        if self.used is None:
            return
        free = max(0, CAPACITY - self.used + replaced - coming)
        if size > free:
            raise Refused("NO_SPACE", "the layer is full", store=self.name, free=free)


class Write:
    """A change of a layer that is ready: what takes memory is done before, so that no change is made and then refused for want of it."""

    def __init__(self, layer, by, carry_out, tag=None, about=None):
        self.layer, self.carry_out = layer, carry_out
        self.tag, self.about = tag, about  # of an image, and what is known of it then
        self.generation = layer.generation + 1 & U32
        self.used = None if layer.used is None else layer.used + by

    def make(self):
        layer = self.layer
        self.carry_out()
        layer.generation = self.generation
        layer.used = self.used
        if self.about is not None:
            layer.known[self.tag] = self.about
        elif self.tag is not None:
            layer.known.pop(self.tag, None)


def type_of(number):
    """The name of one of the SDK's constants."""
    for kind in TYPES:
        if getattr(image, kind.upper(), None) == number:
            return kind
    return "none"


def name_size(name):
    return len(name.encode())


def size_of(value):
    """Bytes of a value (§6); 0 of one that can't be told."""
    try:
        return len(encode(value))
    except (ValueError, RuntimeError):  # not of the protocol's, or nested without end
        return 0


# --- Images on their way (§5) ----------------------------------------------------------------------------------------


class Download:
    """One image that is sent (§5.1)."""

    def __init__(self, data, begin, limit, head, about):
        self.data, self.view = data, memoryview(data)
        self.head = head
        self.about = about  # what the layer knows of the image
        self.begin = begin  # the first byte that is asked for
        self.next = begin  # the byte to be sent
        self.sent = begin  # the byte after the last that was ever sent
        self.limit = limit  # credit
        self.again = []  # ranges that are to be sent once more, each from and to
        self.hash = None if begin == 0 and about[2] is not None else hashlib.sha256()
        self.result = None  # once all was sent
        self.is_said = False  # whether the result has been sent after what was sent last

    def piece(self, most):
        """The part that is to be sent now, or None."""
        if self.again:
            at, to = self.again[0]
            end = min(to, at + most)
            if end == to:
                self.again.pop(0)
            else:
                self.again[0] = (end, to)
            return at, end
        at = self.next
        end = min(len(self.data), self.limit, at + most)
        if end <= at:
            return None
        self.next = end
        if end > self.sent:
            if self.hash is not None:
                self.hash.update(self.view[self.sent : end])
            self.sent = end
        return at, end

    def is_through(self):
        return self.next == len(self.data) and not self.again

    def answer(self):
        if self.result is None:
            sha256 = self.about[2] if self.hash is None else self.hash.digest()
            self.result = {"size": len(self.data), "sha256": sha256}
            if self.begin == 0:
                self.about[2] = sha256
        return self.result

    def resend(self, at, to, limit):
        """False when that can't be (§5.4)."""
        if not self.begin <= at <= self.sent:
            return False
        self.limit = max(self.limit, limit)
        self.is_said = False
        if at == to or at > self.next:  # nothing, or what comes anyway since it has gone back
            return True
        if to >= self.next or len(self.again) == RANGES:
            self.next = at
        else:
            self.again.append((at, to))
        return True


class Upload:
    """One image that comes (§5.2). What lies beyond a gap is dropped and asked for again (§5.4), which costs no memory."""

    WINDOW = 32768  # bytes that may be on their way

    def __init__(self, layer, params, data):
        self.layer = layer
        self.tag, self.kind = params["tag"], params["type"]
        self.size, self.sha256 = params["size"], params["sha256"]
        self.data, self.view = data, memoryview(data)
        self.have = 0  # bytes, in order
        self.hash = hashlib.sha256()  # of these
        self.limit = 0  # credit that was given
        self.ahead = None  # where the last data beyond a gap was, while one is open

    def go_on_from(self, kept):
        """With what came of the same content before."""
        self.have, self.hash = kept.have, kept.hash

    def credit(self):
        """How far it may go now."""
        self.limit = max(self.limit, min(self.size, self.have + self.WINDOW))
        return self.limit

    def where(self, to=None):
        """Where it is: asks for the first byte that it lacks, and up to `to`."""
        return [self.have, self.have if to is None else to, self.credit()]

    def take(self, at, data):
        """Gives what is to be said of it: a message without its id, or None."""
        end = at + len(data)
        if end > self.limit:
            raise Refused("INVALID", "data beyond the credit, or the size")
        if at < self.have:
            return None
        if at > self.have:
            is_new = self.ahead is None or at <= self.ahead  # the sender has gone back, and it was lost again
            self.ahead = at
            return [RESEND] + self.where(U32) if is_new else None
        self.view[at:end] = data
        self.hash.update(data)
        self.have, self.ahead = end, None
        further = min(self.size, end + self.WINDOW)
        is_worth_it = further - self.limit >= self.WINDOW // 4 or further == self.size > self.limit
        return [CREDIT, self.credit()] if is_worth_it else None


# --- The agent -------------------------------------------------------------------------------------------------------


class Memory:
    """What outlives a session of the same host (§3.4), and begins anew with another's."""

    def __init__(self, session):
        self.session = session  # the host's name for it, or None
        self.is_met = False  # whether the host has said anything since it began: then it knows that it began
        self.answers = []  # to requests that change something: id and the message's body (§4.3)
        self.cancelled = []  # other ids (§4.4)

    def answer_to(self, number):
        for it, body in self.answers:
            if it == number:
                return body
        return None

    def remember(self, number, body):
        self.answers.append((number, body))
        if len(self.answers) > REMEMBERED:
            self.answers.pop(0)

    def cancel(self, number):
        self.cancelled.append(number)
        if len(self.cancelled) > REMEMBERED:
            self.cancelled.pop(0)


class Session:
    """What there is between a welcome and the next hello (§3)."""

    def __init__(self, nonce, max_body, is_resumed, piece):
        self.nonce, self.max_body, self.is_resumed = nonce, max_body, is_resumed
        self.streams = {}  # by id
        self.order = []  # their ids, the oldest first
        self.turn = 0  # whose turn it is to send
        self.jobs = []  # what takes longer than a step
        self.piece = piece  # bytes of an image in one message
        self.since = 0  # pieces since some were lost


class Job:
    """
    A request that is worked on: a generator that gives None as long as it isn't through. Then it gives a result, a stream to be opened, or
    a result with the change to be made for it.
    """

    def __init__(self, number, op, steps):
        self.number, self.op, self.steps = number, op, steps
        self.told = time.ticks_ms()  # when it was last said that it is pending


class Agent:
    """
    The dock's end of the line.

    `source` has `readinto(buffer)` and `sink` has `write(bytes)`. Neither waits: they give how many bytes they took, 0 or None for none.
    `model` is what hosts are told, 32 bytes at most. `on_token(token, type)` is called with the SDK's token and type of an image when a host asks for its token.
    `allocate(size)` gives a bytearray in which an image is put together that a host sends, `release(bytearray)` takes it back.
    """

    EVERY_MS = 5  # how often `poll` wants to be called
    BUDGET_MS = 8  # after which it returns
    HASH_MS = 1000  # how long a head waits for the SHA-256 of its image, which is then known for good
    PIECE, LEAST_PIECE = 4096, 1024  # bytes of an image in one message; less on a line that loses
    LIMITS = {
        "maxBody": 4480,  # a key and a value of the largest size
        "window": 16384,
        "requests": 16,
        "streams": 4,
        "tagBytes": 255,
        "keyBytes": 255,
        "valueBytes": 4096,
        "pageBytes": 2048,
    }
    VALUE_ROOM, PAGE_ROOM = 128, 320  # what an answer needs beside a value, or a page (§7.1)

    def __init__(self, source, sink, model="DL-7450", on_token=None, allocate=bytearray, release=None):
        self.source, self.sink, self.model = source, sink, model
        self.on_token, self.allocate, self.release = on_token, allocate, release
        self.layers = layers_of()
        self.features = ["stores"] if len(self.layers) > 1 else []
        self.features += ["write." + it.name for it in self.layers if it.can_write]
        self.id = str(DockInfo().dock_id())[:64]
        self.name = self.label()
        self.ticks, self.uptime = time.ticks_ms(), 0
        seed = "{} {} {} {}".format(self.id, time.time_ns(), time.ticks_cpu(), id(self))
        self.boot = hashlib.sha256(seed.encode()).digest()[:8]
        for layer in self.layers:
            layer.generation = int.from_bytes(self.boot[:4], "big")  # the firmware keeps none (§6)
        self.chunk = bytearray(2048)
        self.chunk_view = memoryview(self.chunk)
        self.chunk_at = self.chunk_end = 0
        self.reader = FrameReader(self.LIMITS["maxBody"])
        self.writer = FrameWriter(max(self.PIECE + OVERHEAD, self.LIMITS["valueBytes"] + self.VALUE_ROOM))
        self.unsent = None  # what the sink hasn't taken yet of a frame
        self.messages = []  # bodies that are to be sent before anything else
        self.memory = Memory(None)
        self.session = None
        self.kept = []  # uploads that broke off, the newest first (§5.2)
        self.operations = {
            "dock.info": self.dock_info,
            "kv.list": self.kv_list,
            "kv.get": self.kv_get,
            "image.list": self.image_list,
            "image.get": self.image_get,
            "image.token": self.image_token,
        }
        if any(it.can_write for it in self.layers):
            self.operations["kv.set"] = self.kv_set
            self.operations["kv.delete"] = self.kv_delete
            self.operations["image.put"] = self.image_put
            self.operations["image.delete"] = self.image_delete

    def label(self):
        """The vendor's name for a board is the value of a key; the beginning of its id where there is none."""
        for layer in self.layers:
            name = layer.keys.get("dock_name")
            if is_text(name) and 0 < len(name.encode()) <= 64:
                return name
        return self.id[:16]

    def forget(self):
        """To be called by an application that has written to the datastore by itself."""
        for layer in self.layers:
            layer.forget()

    def poll(self):
        """Does what is at hand, for `BUDGET_MS` or as long as one step takes. Never fails."""
        began = time.ticks_ms()
        self.uptime += time.ticks_diff(began, self.ticks)
        self.ticks = began
        try:
            while self.step() and time.ticks_diff(time.ticks_ms(), began) < self.BUDGET_MS:
                pass
        except Exception:  # the line is broken, or there is no memory even to say so: the session is over (§3.2)
            self.end_session()
            self.unsent, self.messages = None, []
            self.chunk_at = self.chunk_end = 0
            self.reader.drop()

    def step(self):
        """Whether there was something to do."""
        if self.unsent is not None and not self.flush():
            return False
        if self.messages:
            self.write(self.writer.frame(self.messages.pop(0)))
            return True
        heard = self.hear()
        if self.messages:
            return True
        worked = self.work()
        if self.messages:  # a head goes out before its data
            return True
        return self.pump() or worked or heard

    # Bytes.

    def write(self, frame):
        self.unsent = frame
        self.flush()

    def flush(self):
        """Whether the sink has taken all."""
        while self.unsent is not None:
            count = self.sink.write(self.unsent) or 0
            if count == 0:
                return False
            self.unsent = self.unsent[count:] if count < len(self.unsent) else None
        return True

    def hear(self):
        """Takes what has come, up to the end of a frame."""
        if self.chunk_at == self.chunk_end:
            self.chunk_at = self.chunk_end = 0
            self.chunk_end = self.source.readinto(self.chunk) or 0
            if self.chunk_end == 0:
                return False
        body = None
        while body is None and self.chunk_at < self.chunk_end:
            self.chunk_at, body = self.reader.feed(self.chunk, self.chunk_view, self.chunk_at, self.chunk_end)
        if body is not None and len(body) <= (HANDSHAKE_BODY if self.session is None else self.LIMITS["maxBody"]):
            self.receive(body)
        return True

    def receive(self, body):
        try:
            message = Reader(body).whole()
            if not isinstance(message, list) or not message or not is_whole(message[0], 0, U32):
                raise Malformed("a body that doesn't begin with a type")
            if message[0] <= CANCEL:
                self.hear_message(message)
        except Malformed as error:
            number = request_in(body) if self.session is not None else None
            if number is not None:
                self.fail(number, Refused("MALFORMED", str(error)))
        except (MemoryError, RuntimeError):  # for the second: there is too little stack for how deep it is nested
            number = request_in(body) if self.session is not None else None
            if number is not None:
                failure = encode((FAILURE, number, Refused("TOO_LARGE", "there isn't the memory to read it").failure))
                self.memory.remember(number, failure)  # it may be a write, which isn't to be done after that
                self.messages.append(failure)

    # Messages (§2).

    def say(self, *message):
        self.messages.append(encode(message))

    def fail(self, number, refused):
        """For failures that aren't final (§4.5), and of what there is no session for."""
        self.say(FAILURE, number, refused.failure)

    def end(self, number, op, kind, value):
        """A final answer (§4.2), which is remembered where it is about a write."""
        body = encode((kind, number, value))
        if op in WRITES:
            self.memory.remember(number, body)
        self.messages.append(body)

    def end_write(self, number, op, answer):
        """Makes a change, where there is one to be made, once its answer is ready to be sent and remembered."""
        result, write = answer
        self.end(number, op, RESULT, result)
        if write is not None:
            try:
                write.make()
            except Exception as error:
                self.memory.answers.pop()
                self.messages.pop()
                raise error

    def refuse(self, number, op, error):
        """Whatever went wrong is an answer: a mistake in the datastore ends one request, and nothing else."""
        if isinstance(error, MemoryError):
            self.keep_nothing()
            code = "NO_SPACE" if op in WRITES else "TOO_LARGE"
            error = Refused(code, "there isn't the memory for it")
        elif isinstance(error, OSError) and error.args[:1] == (ENOSPC,):
            error = Refused("NO_SPACE", "the firmware has no room for it")
        elif not isinstance(error, Refused):
            text = "{}: {}".format(type(error).__name__, error)
            error = Refused("INTERNAL", "".join(it for it in text[:200] if " " <= it <= "~"))
        self.end(number, op, FAILURE, error.failure)

    def hear_message(self, message):
        kind = message[0]
        if len(message) != (2, 4, 4, 3, 5, 2)[kind]:
            raise Malformed("a message of another length")
        if kind == HELLO:
            return self.hello(message[1])
        number = message[1]
        shape = is_whole(number, 1, U32)
        if kind == REQUEST:
            shape = shape and is_text(message[2]) and isinstance(message[3], dict)
        elif kind == HOST_DATA:
            shape = shape and is_u32(message[2]) and is_bytes(message[3], 1, U32)
        elif kind == HOST_CREDIT:
            shape = shape and is_u32(message[2])
        elif kind == HOST_RESEND:
            shape = shape and all(is_u32(it) for it in message[2:]) and message[2] <= message[3]
        if not shape:
            raise Malformed("a message with another item than it has")
        if self.session is None:
            return self.fail(number, Refused("NO_SESSION", "say hello first"))
        self.memory.is_met = True
        if kind == REQUEST:
            self.request(number, message[2], message[3])
        elif kind == HOST_DATA:
            self.data(number, message[2], message[3])
        elif kind == HOST_CREDIT:
            stream = self.session.streams.get(number)
            if isinstance(stream, Download):
                stream.limit = max(stream.limit, message[2])
        elif kind == HOST_RESEND:
            self.resend(number, message[2], message[3], message[4])
        elif kind == CANCEL:
            self.cancel(number)

    def hello(self, hello):
        versions = hello.get("versions") if isinstance(hello, dict) else None
        if not (
            isinstance(versions, list)
            and 1 <= len(versions) <= 8
            and all(is_whole(it, 1, U32) for it in versions)
            and is_bytes(hello.get("nonce"), 8, 8)
            and is_whole(hello.get("maxBody"), HANDSHAKE_BODY, 65536)
            and is_text(hello.get("software"))
            and len(hello["software"].encode()) <= 64
            and ("session" not in hello or is_bytes(hello["session"], 8, 8))
        ):
            raise Malformed("a hello that isn't one")
        nonce = bytes(hello["nonce"])
        if VERSION not in versions:
            self.end_session()
            return self.fail(0, Refused("VERSION", "this dock speaks version 1", nonce=nonce, versions=[VERSION]))
        if self.session is None or self.session.nonce != nonce:
            self.end_session()
            name = bytes(hello["session"]) if "session" in hello else None
            is_same = name is not None and name == self.memory.session
            if not is_same:
                self.memory = Memory(name)
            self.session = Session(nonce, hello["maxBody"], is_same and self.memory.is_met, self.PIECE)
        dock = {"id": self.id, "model": self.model, "name": self.name}
        welcome = {"version": VERSION, "nonce": nonce, "bootId": self.boot, "dock": dock, "limits": self.LIMITS}
        welcome["features"], welcome["stores"] = self.features, [it.name for it in self.layers]
        if self.session.is_resumed:
            welcome["resumed"] = True
        self.say(WELCOME, welcome)

    def end_session(self):
        session, self.session = self.session, None
        for number in session.order if session is not None else ():
            if isinstance(session.streams[number], Upload):
                self.keep(session.streams[number])

    def request(self, number, op, params):
        session = self.session
        stream = session.streams.get(number)
        if isinstance(stream, Download):
            stream.is_said = False
            return self.say(HEAD, number, stream.head)
        if stream is not None:
            stream.ahead = None
            return self.say(RESEND, number, *stream.where())
        answer = self.memory.answer_to(number)
        if answer is not None:
            return self.messages.append(answer)
        if number in self.memory.cancelled:
            return self.fail(number, Refused("CANCELLED", "cancelled by the host"))
        if any(it.number == number for it in session.jobs):
            return self.say(PENDING, number)
        try:
            operation = self.operations.get(op)
            if operation is None:
                raise Refused("UNSUPPORTED", "this dock doesn't do that")
            params = owned(params)
            check_params(op, params)
            self.take_step(Job(number, op, operation(params)))
        except Exception as error:
            self.refuse(number, op, error)

    def data(self, number, at, data):
        stream = self.session.streams.get(number)
        if not isinstance(stream, Upload):
            return
        try:
            said = stream.take(at, data)
        except Refused as error:
            self.drop(number)
            self.release_data(stream)
            return self.refuse(number, "image.put", error)
        if said is not None:
            self.say(said[0], number, *said[1:])
        if stream.have == stream.size:
            self.drop(number)
            try:
                self.finish(number, stream)
            except Exception as error:
                self.refuse(number, "image.put", error)

    def resend(self, number, at, to, limit):
        stream = self.session.streams.get(number)
        if not isinstance(stream, Download):
            self.fail(number, Refused("STALE", "no such stream"))
        elif not stream.resend(at, to, limit):
            self.fail(number, Refused("INVALID", "resend from outside of the stream"))
        elif at < to:  # smaller pieces on a line that loses (§5.1)
            self.session.piece, self.session.since = max(self.LEAST_PIECE, self.session.piece // 2), 0

    def cancel(self, number):
        session, op, is_known = self.session, None, False
        answer = self.memory.answer_to(number)
        if answer is not None:
            return self.messages.append(answer)
        stream = session.streams.get(number)
        if isinstance(stream, Download) and stream.result is not None:
            return self.say(RESULT, number, stream.result)
        if stream is not None:
            is_known = True
            self.drop(number)
            if isinstance(stream, Upload):
                op = "image.put"
                self.keep(stream)
        for job in session.jobs:
            if job.number == number:
                is_known, op = True, job.op
                session.jobs.remove(job)
                break
        if not is_known and number not in self.memory.cancelled:
            self.memory.cancel(number)
        self.end(number, op, FAILURE, Refused("CANCELLED", "cancelled by the host").failure)

    # What takes longer than a step.

    def work(self):
        """Takes one step of one job, of each in turn."""
        session = self.session
        if session is None or not session.jobs:
            return False
        job = session.jobs.pop(0)
        try:
            self.take_step(job)
        except Exception as error:
            self.refuse(job.number, job.op, error)
        return True

    def take_step(self, job):
        session = self.session
        answer = next(job.steps)
        if isinstance(answer, dict):
            self.end(job.number, job.op, RESULT, answer)
        elif isinstance(answer, tuple):
            self.end_write(job.number, job.op, answer)
        elif answer is not None:
            self.open(job.number, answer)
        else:
            under_way = sum(1 for it in session.streams.values() if isinstance(it, Upload) or it.result is None)
            if len(session.jobs) + under_way >= self.LIMITS["requests"]:
                raise Refused("BUSY", "too much is under way")
            session.jobs.append(job)
            if time.ticks_diff(time.ticks_ms(), job.told) > 200:
                job.told = time.ticks_ms()
                self.say(PENDING, job.number)

    def pump(self):
        """Sends one piece of an image, of each stream in turn."""
        session = self.session
        if session is None:
            return False
        for _ in range(len(session.order)):
            session.turn = (session.turn + 1) % len(session.order)
            number = session.order[session.turn]
            stream = session.streams[number]
            if isinstance(stream, Upload):
                continue
            piece = stream.piece(min(session.piece, session.max_body - OVERHEAD))
            if piece is not None:
                at, end = piece
                session.since += 1
                if session.since % 64 == 0:
                    session.piece = min(self.PIECE, 2 * session.piece)
                head = bytearray((0x84, DATA))
                encode_head(head, 0, number)
                encode_head(head, 0, at)
                encode_head(head, 2, end - at)
                self.write(self.writer.data_frame(head, stream.data, stream.view, at, end))
                return True
            if stream.is_through() and not stream.is_said:
                stream.is_said = True
                self.say(RESULT, number, stream.answer())
                return True
        return False

    def open(self, number, stream):
        session = self.session
        if isinstance(stream, Upload) and stream.have == stream.size:
            return self.finish(number, stream)
        if len(session.streams) >= self.LIMITS["streams"]:
            for other in session.order:
                if isinstance(session.streams[other], Download) and session.streams[other].result is not None:
                    self.drop(other)
                    break
            else:
                if isinstance(stream, Upload):
                    self.keep(stream)
                raise Refused("BUSY", "as many streams are open as can be")
        try:
            session.streams[number] = stream
            if isinstance(stream, Download):
                self.say(HEAD, number, stream.head)
            else:
                self.say(RESEND, number, *stream.where())
            session.order.append(number)
        except MemoryError:
            session.streams.pop(number, None)
            if isinstance(stream, Upload):
                self.release_data(stream)
            raise

    def drop(self, number):
        del self.session.streams[number]
        self.session.order.remove(number)

    # Operations (§7), whose params have been checked. They give steps, of which the last is a result or a stream.

    def layers_asked(self, params):
        """The layers that a request is about, as they are asked."""
        store = params.get("store")
        if store is None:
            return self.layers
        if "stores" not in self.features:
            raise Refused("UNSUPPORTED", "this dock's layers can't be named")
        named = [it for it in self.layers if it.name == store]
        if not named:
            raise Refused("UNSUPPORTED", "this dock has no such layer")
        return named

    def layer_to_write(self, params):
        for layer in self.layers:
            if layer.name == params["store"] and layer.can_write:
                return layer
        raise Refused("UNSUPPORTED", "this dock can't write to that layer")

    def refuse_txn(self, params):
        if "txn" in params:
            raise Refused("STALE", "this dock has no transactions")

    def check_length(self, name, limit):
        if len(name.encode()) > self.LIMITS[limit]:
            raise Refused("TOO_LARGE", "a name that is too long", limit=self.LIMITS[limit])

    def page_steps(self, params, names_of, entry_of):
        """A page: names of the layers that are asked, from where the cursor says, each once, as many as there is room for."""
        layers = self.layers_asked(params)
        generation = sum(it.generation for it in layers) & U32
        at = 0
        if "cursor" in params:
            try:
                before, at = Reader(memoryview(params["cursor"])).whole()
            except (Malformed, TypeError, ValueError):
                raise Refused("STALE", "a cursor that isn't of this dock")
            if before != generation or not is_u32(at):
                raise Refused("STALE", "the list has changed; begin again")
        found = {}
        for layer in layers:
            for name in names_of(layer):
                if name not in found:
                    found[name] = layer
        room = min(self.LIMITS["pageBytes"], self.session.max_body - self.PAGE_ROOM)
        result = {"entries": [], "generation": generation}
        for name in sorted(found)[at:]:  # by their bytes, which is the order of their characters
            entry = entry_of(name, found[name])
            room -= len(encode(entry))
            if room < 0 and result["entries"]:
                result["cursor"] = encode((generation, at + len(result["entries"])))
                break
            result["entries"].append(entry)
            yield None
            if generation != sum(it.generation for it in layers) & U32:
                raise Refused("STALE", "the list has changed; begin again")
        yield result

    def kv_list(self, params):
        def entry_of(key, layer):
            return (key, layer.name, size_of(layer.keys.get(key)), False)

        return self.page_steps(params, Layer.names, entry_of)

    def kv_get(self, params):
        key = params["key"]
        layers = self.layers_asked(params)
        self.check_length(key, "keyBytes")
        for layer in layers:
            if key in layer.names():
                value = layer.keys.get(key)
                most = min(self.LIMITS["valueBytes"], self.session.max_body - self.VALUE_ROOM)
                if not is_value(value):
                    raise Refused("INTERNAL", "a value that is nested too deep")
                if len(encode(value)) > most:
                    raise Refused("TOO_LARGE", "the value is too long", limit=most)
                yield {"found": True, "value": value, "store": layer.name, "upd": False}
        yield {"found": False}

    def kv_set(self, params):
        layer, key, value = self.layer_to_write(params), params["key"], params["value"]
        self.check_length(key, "keyBytes")
        most = self.LIMITS["valueBytes"]
        if len(encode(value)) > most:
            raise Refused("TOO_LARGE", "the value is too long", limit=most)
        self.refuse_txn(params)
        for _ in layer.count_steps():
            yield None
        write = layer.set_key(key, value)
        yield {"generation": write.generation}, write

    def kv_delete(self, params):
        layer = self.layer_to_write(params)
        self.check_length(params["key"], "keyBytes")
        self.refuse_txn(params)
        for _ in layer.count_steps():
            yield None
        yield self.deleted(layer, layer.delete_key(params["key"]))

    def image_list(self, params):
        def entry_of(tag, layer):
            size, kind, sha256 = layer.about(tag)
            entry = (tag, kind, size, layer.name)
            return entry if sha256 is None else entry + (sha256,)

        return self.page_steps(params, Layer.tags, entry_of)

    def image_named(self, params):
        """The layer that has the image of a tag."""
        layers = self.layers_asked(params)
        self.check_length(params["tag"], "tagBytes")
        for layer in layers:
            if params["tag"] in layer.tags():
                return layer
        raise Refused("NOT_FOUND", "no such image")

    def places(self):
        """Each image's layer and tag."""
        for layer in self.layers:
            for tag in layer.tags():
                yield layer, tag

    def token_of(self, layer, tag):
        """An image's token: what the SDK's own token is can't be said on a line."""
        named = "{} {} {}".format(layer.name, layer.version(tag), tag)
        return hashlib.sha256(self.boot + named.encode()).digest()[:16]

    def image_token(self, params):
        layer, tag = self.image_named(params), params["tag"]
        if self.on_token is not None:
            self.on_token(layer.images.get_token(tag), getattr(image, layer.about(tag)[1].upper()))
        yield {"token": self.token_of(layer, tag), "store": layer.name}

    def image_get(self, params):
        if "tag" in params:
            layer, tag = self.image_named(params), params["tag"]
        else:
            for layer, tag in self.places():
                if self.token_of(layer, tag) == params["token"] and tag in layer.tags():
                    break
                yield None
            else:
                raise Refused("STALE", "a token that isn't of this boot, or whose image is gone")
        data, about = layer.read(tag)  # in the same step, or it could be another image by now
        generation = layer.generation
        begin, credit, wanted = params.get("from", 0), params["credit"], params.get("ifSha256")
        asked = time.ticks_ms()
        for _ in layer.hash_steps(data, about):
            if wanted is None and time.ticks_diff(time.ticks_ms(), asked) > self.HASH_MS:
                break
            yield None
        if wanted is not None and about[2] != wanted:
            raise Refused("CHANGED", "the image is another one")
        if begin > len(data):
            raise Refused("INVALID", "from beyond the end")
        head = {"type": about[1], "size": len(data), "store": layer.name, "generation": generation}
        if "tag" in params:
            head["tag"] = tag
        if about[2] is not None:
            head["sha256"] = about[2]
        yield Download(data, begin, credit, head, about)

    def image_put(self, params):
        layer, tag, kind = self.layer_to_write(params), params["tag"], params["type"]
        size, sha256 = params["size"], params["sha256"]
        self.check_length(tag, "tagBytes")
        if size > CAPACITY:
            raise Refused("TOO_LARGE", "no image is that large here", limit=CAPACITY)
        if getattr(image, kind.upper(), None) is None:
            raise Refused("INVALID", "this dock knows no image of that type")
        self.refuse_txn(params)
        for _ in layer.count_steps():
            yield None
        places = [(layer, tag)]  # its own first: putting what is there changes nothing
        places.extend(self.places())
        for other, name in places:
            if name in other.tags() and other.about(name)[0] == size:
                data, about = other.read(name)
                for _ in other.hash_steps(data, about):
                    yield None
                if about[2] == sha256:
                    if other is not layer or name != tag:
                        self.check_room(layer, tag, size)
                    yield self.put(layer, tag, kind, data, sha256)
            yield None
        self.check_room(layer, tag, size)
        yield self.upload(layer, params)

    def check_room(self, layer, tag, size):
        """Fails unless an image has room beside what is coming."""
        before = name_size(tag) + layer.about(tag)[0] if tag in layer.tags() else 0
        coming = sum(it.size + name_size(it.tag) for it in self.session.streams.values() if isinstance(it, Upload))
        layer.check_room(size + name_size(tag), before, coming)

    def finish(self, number, upload):
        """Ends an upload that is complete."""
        try:
            if upload.hash.digest() != upload.sha256:
                raise Refused("INTEGRITY", "what came isn't what was announced")
            it = upload
            self.end_write(number, "image.put", self.put(it.layer, it.tag, it.kind, it.data, it.sha256))
        finally:
            self.release_data(upload)

    def put(self, layer, tag, kind, data, sha256):
        if not is_of_type(data, kind):
            raise Refused("INVALID", "the content isn't of that type")
        existed = tag in layer.tags()
        write = layer.put_image(tag, kind, data, sha256)
        return {"generation": layer.generation if write is None else write.generation, "existed": existed}, write

    def image_delete(self, params):
        layer = self.layer_to_write(params)
        self.check_length(params["tag"], "tagBytes")
        self.refuse_txn(params)
        for _ in layer.count_steps():
            yield None
        yield self.deleted(layer, layer.delete_image(params["tag"]))

    def deleted(self, layer, write):
        if write is None:
            return {"generation": layer.generation, "existed": False}, None
        return {"generation": write.generation, "existed": True}, write

    def keep(self, upload):
        """Keeps what has come of an upload that broke off, and as many of the newest as there may be streams."""
        if upload.have == 0:
            return self.release_data(upload)
        self.kept.insert(0, upload)
        if len(self.kept) > self.LIMITS["streams"]:
            self.release_data(self.kept.pop())

    def keep_nothing(self):
        while self.kept:
            self.release_data(self.kept.pop())

    def upload(self, layer, params):
        """An upload that goes on from what was kept of its content, or begins."""
        size = params["size"]
        for kept in self.kept:
            if kept.size == size and kept.sha256 == params["sha256"]:
                self.kept.remove(kept)
                upload = Upload(layer, params, kept.data)
                upload.go_on_from(kept)
                return upload
        try:
            data = self.allocate(size)
        except MemoryError:
            self.keep_nothing()
            data = self.allocate(size)
        try:
            return Upload(layer, params, data)
        except MemoryError:
            if self.release is not None:
                self.release(data)
            raise

    def release_data(self, upload):
        if self.release is not None:
            self.release(upload.data)

    def dock_info(self, params):
        while any(it.used is None for it in self.layers):  # also when somebody writes meanwhile
            for layer in self.layers:
                for _ in layer.count_steps():
                    yield None
        stores = [{"store": it.name, "capacity": CAPACITY, "used": it.used} for it in self.layers]
        info = {"id": self.id, "model": self.model, "name": self.name, "firmware": "", "sdk": "", "bootId": self.boot}
        info["uptimeMs"], info["features"], info["stores"] = self.uptime, self.features, stores
        yield info


def request_in(body):
    """The id of a request whose rest is malformed, or None (§1.4)."""
    if not (len(body) > 2 and 0x82 <= body[0] <= 0x97 and body[1] == REQUEST):
        return None
    reader = Reader(body[2:])
    try:
        first = reader.byte()
        number = reader.count(first & 31)
    except Malformed:
        return None
    return number if first >> 5 == 0 and 1 <= number <= U32 else None


if __name__ == "__main__":  # a dock's whole application, on the streams that its firmware's integrator supplies
    import sys

    from wakeup import Timer

    agent = Agent(sys.stdin.buffer, sys.stdout.buffer)
    timer = Timer(agent.poll, 0, Agent.EVERY_MS)
