"""Serves the datastore of a DL-7450 on a byte stream, by the Dock Datastore Protocol (protocol/SPEC.md; § is a section of it).

    import sys
    from wakeup import Timer
    from datastore_agent import Agent

    agent = Agent(sys.stdin.buffer, sys.stdout.buffer)
    timer = Timer(agent.poll, 0, Agent.EVERY_MS)

It is written for the dock's MicroPython, with calls that the SDK documents: `ImageStore.list`, `get`, `KvStore.list`, `get`, `DockInfo.dock_id`.
`poll` never waits: it does what is at hand for some milliseconds and returns. Images are sent from where `ImageStore.get` has them,
never copied as a whole; what the agent holds itself is its buffers for frames, and some kilobytes.
"""

import binascii
import hashlib
import time

import image
from datastore import ImageStore, KvStore
from dock import DockInfo

VERSION = 1
ZERO = b"\x00"
NO_ZEROS = bytes(64)  # as many zeros, and what COBS makes of them
ONES = b"\x01" * 64

# Messages (§2).
HELLO, REQUEST, HOST_DATA, HOST_CREDIT, HOST_RESEND, CANCEL = range(6)
WELCOME, RESULT, FAILURE, HEAD, DATA, CREDIT, RESEND, PENDING = range(12, 20)

U32 = 0xFFFFFFFF
HANDSHAKE_BODY = 512  # bytes of a body before the handshake is through (§9.1)
DEEPEST = 20  # arrays and maps in a body (§1.3)
OVERHEAD = 17  # bytes of a data message beside its data (§5.1)
REMEMBERED = 64  # cancels that are (§4.3)
RANGES = 16  # to be sent again, for each stream (§5.4)
LAYERS = ("factory", "runtime", "ephemeral")
CAPACITY = 13000000  # bytes of the factory layer, as the vendor says


class Malformed(Exception):
    """Bytes that aren't what §1.3 or §2 asks for."""


class Refused(Exception):
    """A request that is answered with a failure (§8)."""

    def __init__(self, code, message, **details):
        super().__init__(message)
        self.failure = {"code": code, "message": message, "retryable": code == "BUSY"}
        self.failure.update(details)


# --- CBOR (§1.3) -----------------------------------------------------------------------------------------------------


def head_of(major, count):
    """The first bytes of an item."""
    if count < 24:
        return bytes((major << 5 | count,))
    for more, size in ((24, 1), (25, 2), (26, 4)):
        if count < 1 << 8 * size:
            return bytes((major << 5 | more,)) + count.to_bytes(size, "big")
    return bytes((major << 5 | 27,)) + count.to_bytes(8, "big")


def encode(item):
    """An item as a list of bytes."""
    parts = []
    encode_into(parts, item)
    return parts


def encode_into(parts, item):
    if item is None:
        parts.append(b"\xf6")
    elif isinstance(item, bool):
        parts.append(b"\xf5" if item else b"\xf4")
    elif isinstance(item, int):
        if not -(1 << 63) <= item < 1 << 63:
            raise ValueError("an integer beyond 64 bits")
        parts.append(head_of(0, item) if item >= 0 else head_of(1, -1 - item))
    elif isinstance(item, float):
        parts.append(b"\xfb" + bits_of(item).to_bytes(8, "big"))
    elif isinstance(item, str):
        text = item.encode()
        parts.append(head_of(3, len(text)))
        parts.append(text)
    elif isinstance(item, (bytes, bytearray, memoryview)):
        parts.append(head_of(2, len(item)))
        parts.append(bytes(item))
    elif isinstance(item, (list, tuple)):
        parts.append(head_of(4, len(item)))
        for it in item:
            encode_into(parts, it)
    elif isinstance(item, dict):
        parts.append(head_of(5, len(item)))
        for key in item:
            if not isinstance(key, str):
                raise ValueError("a key that isn't text")
            encode_into(parts, key)
            encode_into(parts, item[key])
    else:
        raise ValueError("a value of type " + type(item).__name__)


def length_of(parts):
    return sum(len(it) for it in parts)


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
        first = self.take(1)[0]
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
            return [self.item(depth + 1) for _ in range(count)]
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
    except UnicodeError:
        raise Malformed("text that isn't UTF-8")
    if len(text) == len(raw):
        return text
    for char in text:
        code = ord(char)
        if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            raise Malformed("text that isn't UTF-8")
    at = 0
    for char in text:
        code = ord(char)
        size = 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        at += size
    if at != len(raw):
        raise Malformed("text that isn't UTF-8")
    return text


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

    def frame(self, parts):
        """The frame, with its delimiters, of the body that these bytes are one after the other: a view of the buffer."""
        return self.data_frame(parts, b"", b"", 0, 0)

    def data_frame(self, parts, source, view, begin, end):
        """The same with a part of `source` after them, of which `view` is a view."""
        self.group, self.at = 1, 2
        crc = 0
        for part in parts:
            crc = binascii.crc32(part, crc)
            self.stuff(part, part, 0, len(part))
        if end > begin:
            crc = binascii.crc32(view[begin:end], crc)
            self.stuff(source, view, begin, end)
        check = crc.to_bytes(4, "little")
        self.stuff(check, check, 0, 4)
        self.buffer[self.group] = self.at - self.group
        self.buffer[0] = self.buffer[self.at] = 0
        return self.view[: self.at + 1]

    def stuff(self, source, view, begin, end):
        """Adds bytes, in groups: `group` is where the code of the open one belongs, which has 254 bytes at most."""
        buffer, out, group, at = self.buffer, self.view, self.group, self.at
        while begin < end:
            room = 255 + group - at
            if room == 0:
                buffer[group] = 0xFF
                group, at, room = at, at + 1, 254
            stop = min(end, begin + room)
            zero = source.find(ZERO, begin, stop)
            if zero >= 0:
                stop = zero
            if stop > begin:
                out[at : at + stop - begin] = view[begin:stop]
                at += stop - begin
                begin = stop
            if zero < 0:
                continue
            buffer[group] = at - group
            group, at, begin = at, at + 1, begin + 1
            while end - begin >= 64 and view[begin : begin + 64] == NO_ZEROS:
                out[group : group + 64] = ONES
                group, at, begin = group + 64, at + 64, begin + 64
        self.group, self.at = group, at


class FrameReader:
    """Cuts what comes into bodies, in two buffers that it keeps; what isn't a frame is dropped (§1.4, §1.5)."""

    def __init__(self, body):
        self.run = bytearray(frame_size(body))
        self.body = bytearray(body + 4)
        self.run_view, self.body_view = memoryview(self.run), memoryview(self.body)
        self.length = 0
        self.is_too_long = False

    def feed(self, chunk, view, begin, end):
        """Takes bytes up to the next delimiter. Gives how far it came, and the body of a frame that is whole, or None."""
        zero = chunk.find(ZERO, begin, end)
        stop = end if zero < 0 else zero
        count = stop - begin
        if count > len(self.run) - self.length:
            self.is_too_long = True
        elif count > 0:
            self.run_view[self.length : self.length + count] = view[begin:stop]
            self.length += count
        if zero < 0:
            return end, None
        body = None if self.is_too_long else self.unstuffed(self.length)
        self.length = 0
        self.is_too_long = False
        return zero + 1, body

    def unstuffed(self, length):
        run, view, body, out = self.run, self.run_view, self.body_view, 0
        if length < 2 or not 0x81 <= run[1] <= 0x97:
            return None
        at = 0
        while at < length:
            code = run[at]
            stop = at + code
            count = code - 1
            if stop > length or out + count > len(body):
                return None
            if count:
                body[out : out + count] = view[at + 1 : stop]
                out += count
            at = stop
            if code < 0xFF and at < length:
                if out == len(body):
                    return None
                body[out] = 0
                out += 1
        if out < 5 or binascii.crc32(body[: out - 4]).to_bytes(4, "little") != bytes(body[out - 4 : out]):
            return None
        return body[: out - 4]


# --- What requests are checked for (§4.5) ----------------------------------------------------------------------------


def is_text(it):
    return isinstance(it, str)


def is_whole(it, least, most):
    return isinstance(it, int) and not isinstance(it, bool) and least <= it <= most


def is_bytes(it, least, most):
    return isinstance(it, memoryview) and least <= len(it) <= most


def malformed_unless(it):
    if not it:
        raise Refused("MALFORMED", "params that this operation doesn't take")


def checked_name(params, key):
    name = params.get(key)
    malformed_unless(is_text(name) and name != "" and "\0" not in name)
    return name


def checked_store(params):
    """Whether a layer is named, which has to be one."""
    if "store" not in params:
        return False
    malformed_unless(params["store"] in LAYERS)
    return True


# --- Images on their way (§5.1) --------------------------------------------------------------------------------------


class Download:
    """One image that is sent."""

    def __init__(self, data, begin, limit, head):
        self.data, self.view = data, memoryview(data)
        self.head = head
        self.begin = begin  # the first byte that is asked for
        self.next = begin  # the byte to be sent
        self.sent = begin  # the byte after the last that was ever sent
        self.limit = limit  # credit
        self.again = []  # ranges that are to be sent once more, each from and to
        self.hash = hashlib.sha256()
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
            self.hash.update(self.view[self.sent : end])
            self.sent = end
        return at, end

    def is_through(self):
        return self.next == len(self.data) and not self.again

    def answer(self):
        if self.result is None:
            self.result = {"size": len(self.data), "sha256": self.hash.digest()}
        return self.result

    def resend(self, at, to, limit):
        """False when that can't be (§5.4)."""
        if not self.begin <= at <= self.sent:
            return False
        self.limit = max(self.limit, limit)
        self.is_said = False
        if to >= self.next or len(self.again) == RANGES and at < to:
            self.next = min(at, self.next) if to < self.next else at
        elif at < to:
            self.again.append((at, to))
        return True


# --- The agent -------------------------------------------------------------------------------------------------------


class Session:
    """What there is between a welcome and the next hello (§3)."""

    def __init__(self, nonce, max_body):
        self.nonce = nonce
        self.max_body = max_body
        self.streams = {}  # downloads by id
        self.order = []  # their ids, the oldest first
        self.turn = 0  # whose turn it is to send
        self.jobs = []  # [id, generator, when it was last said that it is pending]
        self.cancelled = []  # ids


class Agent:
    """The dock's end of the line. `source` has `readinto`, `sink` has `write`; neither waits: they take or give less, 0 or None."""

    EVERY_MS = 5  # how often `poll` wants to be called
    BUDGET_MS = 8  # after which it returns
    PIECE = 4096  # bytes of an image in one message
    LIMITS = {
        "maxBody": 1024,
        "window": 16384,
        "requests": 16,
        "streams": 4,
        "tagBytes": 255,
        "keyBytes": 255,
        "valueBytes": 4096,
        "pageBytes": 2048,
    }
    ROOM = 256  # what an answer needs beside a value, or a page

    def __init__(self, source, sink, model="DL-7450"):
        self.source, self.sink = source, sink
        self.images, self.keys = ImageStore(), KvStore()
        self.known = {}  # of images, by tag: their size and type
        self.id = DockInfo().dock_id()
        self.model = model
        name = self.keys.get("dock_name")
        self.name = name if is_text(name) and 0 < len(name.encode()) <= 64 else self.id[:16]
        self.ticks, self.uptime = time.ticks_ms(), 0
        self.boot = hashlib.sha256(
            "{} {} {} {}".format(self.id, time.time_ns(), time.ticks_cpu(), id(self)).encode()
        ).digest()[:8]
        self.types = {}
        for kind in ("none", "png", "bmp", "jpeg"):
            number = getattr(image, kind.upper(), None)
            if number is not None:
                self.types[number] = kind
        self.chunk = bytearray(1024)
        self.chunk_view = memoryview(self.chunk)
        self.chunk_at = self.chunk_end = 0
        self.reader = FrameReader(self.LIMITS["maxBody"])
        self.writer = FrameWriter(max(self.PIECE + OVERHEAD, self.LIMITS["valueBytes"] + self.ROOM))
        self.unsent = None  # what the sink hasn't taken yet of a frame
        self.messages = []  # that are to be sent before anything else
        self.session = None
        self.operations = {
            "dock.info": self.dock_info,
            "kv.list": self.kv_list,
            "kv.get": self.kv_get,
            "image.list": self.image_list,
            "image.get": self.image_get,
            "image.token": self.image_token,
        }

    def poll(self):
        """Does what is at hand, for `BUDGET_MS` or as long as one step takes. Never fails."""
        began = time.ticks_ms()
        self.uptime += time.ticks_diff(began, self.ticks)
        self.ticks = began
        try:
            while self.step() and time.ticks_diff(time.ticks_ms(), began) < self.BUDGET_MS:
                pass
        except Exception:  # the line is broken, or there is no memory even to say so: the session is over (§3.2)
            self.session, self.unsent, self.messages = None, None, []

    def step(self):
        """Whether there was something to do."""
        if self.unsent is not None and not self.flush():
            return False
        if self.messages:
            self.write(self.writer.frame(encode(self.messages.pop(0))))
            return True
        heard = self.hear()
        if self.messages:
            return True
        return self.work() or self.pump() or heard

    # Bytes.

    def write(self, frame):
        self.unsent = frame
        self.flush()

    def flush(self):
        """Whether the sink has taken all."""
        count = self.sink.write(self.unsent) or 0
        self.unsent = self.unsent[count:] if count < len(self.unsent) else None
        return self.unsent is None

    def hear(self):
        """Takes what has come, up to the end of a frame."""
        if self.chunk_at == self.chunk_end:
            self.chunk_at = 0
            self.chunk_end = self.source.readinto(self.chunk) or 0
            if self.chunk_end == 0:
                return False
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
                self.fail(number, Refused("MALFORMED", str(error)).failure)

    # Messages (§2).

    def say(self, *message):
        self.messages.append(message)

    def fail(self, number, failure):
        self.say(FAILURE, number, failure)

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
            shape = shape and is_whole(message[2], 0, U32) and is_bytes(message[3], 1, U32)
        elif kind == HOST_CREDIT:
            shape = shape and is_whole(message[2], 0, U32)
        elif kind == HOST_RESEND:
            shape = shape and all(is_whole(it, 0, U32) for it in message[2:]) and message[2] <= message[3]
        if not shape:
            raise Malformed("a message with another item than it has")
        if self.session is None:
            return self.fail(number, Refused("NO_SESSION", "say hello first").failure)
        if kind == REQUEST:
            self.request(number, message[2], message[3])
        elif kind == HOST_CREDIT:
            stream = self.session.streams.get(number)
            if stream is not None:
                stream.limit = max(stream.limit, message[2])
        elif kind == HOST_RESEND:
            stream = self.session.streams.get(number)
            if stream is None:
                self.fail(number, Refused("STALE", "no such stream").failure)
            elif not stream.resend(message[2], message[3], message[4]):
                self.fail(number, Refused("INVALID", "resend from outside of the stream").failure)
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
            self.session = None
            failure = Refused("VERSION", "this dock speaks version 1", nonce=nonce, versions=[VERSION])
            return self.fail(0, failure.failure)
        if self.session is None or self.session.nonce != nonce:
            self.session = Session(nonce, hello["maxBody"])
        dock = {"id": self.id, "model": self.model, "name": self.name}
        welcome = {"version": VERSION, "nonce": nonce, "bootId": self.boot, "dock": dock, "limits": self.LIMITS}
        welcome["features"], welcome["stores"] = [], ["factory"]
        self.say(WELCOME, welcome)

    def request(self, number, op, params):
        session = self.session
        stream = session.streams.get(number)
        if stream is not None:
            self.say(HEAD, number, stream.head)
            stream.is_said = False
            return
        if number in session.cancelled:
            return self.fail(number, Refused("CANCELLED", "cancelled by the host").failure)
        if any(job[0] == number for job in session.jobs):
            return self.say(PENDING, number)
        try:
            operation = self.operations.get(op)
            if operation is None:
                raise Refused("UNSUPPORTED", "this dock doesn't do that")
            answer = operation(number, params)
            if isinstance(answer, dict):
                return self.say(RESULT, number, answer)
            under_way = sum(1 for it in session.streams.values() if it.result is None)
            if len(session.jobs) + under_way >= self.LIMITS["requests"]:
                raise Refused("BUSY", "too much is under way")
            session.jobs.append([number, answer, time.ticks_ms()])
        except Exception as error:
            self.refuse(number, error)

    def refuse(self, number, error):
        """Whatever went wrong is an answer: a mistake in the datastore ends one request, and nothing else."""
        if isinstance(error, MemoryError):
            error = Refused("TOO_LARGE", "there isn't the memory for it")
        elif not isinstance(error, Refused):
            text = "{}: {}".format(type(error).__name__, error)
            error = Refused("INTERNAL", "".join(it for it in text if " " <= it <= "~")[:200])
        self.fail(number, error.failure)

    def cancel(self, number):
        session = self.session
        stream = session.streams.get(number)
        if stream is not None and stream.result is not None:
            return self.say(RESULT, number, stream.result)
        if stream is not None:
            self.drop(number)
        session.jobs = [job for job in session.jobs if job[0] != number]
        if number not in session.cancelled:
            session.cancelled.append(number)
            if len(session.cancelled) > REMEMBERED:
                session.cancelled.pop(0)
        self.fail(number, Refused("CANCELLED", "cancelled by the host").failure)

    # What takes longer than a step.

    def work(self):
        """Goes on with the first job."""
        session = self.session
        if session is None or not session.jobs:
            return False
        job = session.jobs[0]
        number, steps, told = job
        try:
            answer = next(steps)
        except Exception as error:
            session.jobs.pop(0)
            self.refuse(number, error)
            return True
        if answer is not None:
            session.jobs.pop(0)
            if isinstance(answer, Download):
                self.open(number, answer)
            else:
                self.say(RESULT, number, answer)
        elif time.ticks_diff(time.ticks_ms(), told) > 200:
            job[2] = time.ticks_ms()
            self.say(PENDING, number)
        return True

    def pump(self):
        """Sends one piece of an image, of each stream in turn."""
        session = self.session
        if session is None:
            return False
        for _ in range(len(session.order)):
            session.turn = (session.turn + 1) % len(session.order)
            number = session.order[session.turn]
            stream = session.streams[number]
            piece = stream.piece(min(self.PIECE, session.max_body - OVERHEAD))
            if piece is not None:
                at, end = piece
                head = [bytes((0x84, DATA)), head_of(0, number), head_of(0, at), head_of(2, end - at)]
                self.write(self.writer.data_frame(head, stream.data, stream.view, at, end))
                return True
            if stream.is_through() and not stream.is_said:
                stream.is_said = True
                self.say(RESULT, number, stream.answer())
                return True
        return False

    def open(self, number, stream):
        session = self.session
        if len(session.streams) >= self.LIMITS["streams"]:
            for other in session.order:
                if session.streams[other].result is not None:
                    self.drop(other)
                    break
            else:
                return self.refuse(number, Refused("BUSY", "as many streams are open as can be"))
        session.streams[number] = stream
        session.order.append(number)
        self.say(HEAD, number, stream.head)

    def drop(self, number):
        del self.session.streams[number]
        self.session.order.remove(number)

    # Operations (§7). They give a result, or steps, of which the last is one.

    def refuse_store(self, params):
        if checked_store(params):
            raise Refused("UNSUPPORTED", "this dock's layers can't be named")

    def page(self, params, entries):
        """Entries from where the cursor says, as many as a page has room for."""
        at = 0
        if "cursor" in params:
            try:
                at = int(bytes(params["cursor"]))
            except ValueError:
                raise Refused("STALE", "a cursor that isn't of this dock")
            if not 0 < at < len(entries):
                raise Refused("STALE", "a cursor that isn't of this dock")
        room = min(self.LIMITS["pageBytes"], self.session.max_body - self.ROOM)
        page = []
        for entry in entries[at:]:
            room -= length_of(encode(entry))
            if room < 0 and page:
                return {"entries": page, "generation": 0, "cursor": str(at + len(page)).encode()}
            page.append(entry)
        return {"entries": page, "generation": 0}

    def check_list(self, params):
        malformed_unless("cursor" not in params or is_bytes(params["cursor"], 1, 192))
        self.refuse_store(params)

    def values(self):
        """Keys and values. It isn't documented as what the list comes."""
        found = self.keys.list()
        if isinstance(found, dict):
            return found
        return dict((it, self.keys.get(it)) if is_text(it) else it for it in found)

    def kv_list(self, number, params):
        self.check_list(params)
        values = self.values()
        names = sorted((it for it in values if is_text(it)), key=lambda it: it.encode())
        return self.page(params, [[it, "factory", size_of(values[it]), False] for it in names])

    def kv_get(self, number, params):
        key = checked_name(params, "key")
        self.refuse_store(params)
        if len(key.encode()) > self.LIMITS["keyBytes"]:
            raise Refused("TOO_LARGE", "the key is too long", limit=self.LIMITS["keyBytes"])
        values = self.values()
        if key not in values:
            return {"found": False}
        value = values[key]
        most = min(self.LIMITS["valueBytes"], self.session.max_body - self.ROOM)
        if length_of(encode(value)) > most:
            raise Refused("TOO_LARGE", "the value is too long", limit=most)
        return {"found": True, "value": value, "store": "factory", "upd": False}

    def about(self, tag):
        """Size and type of an image, which its store tells with its bytes only."""
        if tag not in self.known:
            data, kind = self.images.get(tag)
            self.known[tag] = (len(data), self.types.get(kind, "none"))
        return self.known[tag]

    def image_list(self, number, params):
        self.check_list(params)
        return self.image_list_steps(dict(params))

    def image_list_steps(self, params):
        if "cursor" in params:
            params["cursor"] = bytes(params["cursor"])  # the buffer is another frame's by the next step
        yield None
        entries = []
        for tag in sorted(self.images.list(), key=lambda it: it.encode()):
            if tag not in self.known:
                self.about(tag)
                yield None
            size, kind = self.known[tag]
            entries.append([tag, kind, size, "factory"])
        yield self.page(params, entries)

    def checked_tag(self, params):
        tag = checked_name(params, "tag")
        if len(tag.encode()) > self.LIMITS["tagBytes"]:
            raise Refused("TOO_LARGE", "the tag is too long", limit=self.LIMITS["tagBytes"])
        return tag

    def token_of(self, tag):
        """An image's token: what the SDK's own token is can't be said on a line."""
        return hashlib.sha256(self.boot + tag.encode()).digest()[:16]

    def image_token(self, number, params):
        checked_store(params)
        tag = checked_name(params, "tag")
        self.refuse_store(params)
        self.checked_tag(params)
        if tag not in self.images.list():
            raise Refused("NOT_FOUND", "no such image")
        return {"token": self.token_of(tag), "store": "factory"}

    def image_get(self, number, params):
        token, begin, wanted = params.get("token"), params.get("from", 0), params.get("ifSha256")
        malformed_unless(("tag" in params) != ("token" in params))
        malformed_unless("token" not in params or is_bytes(token, 1, 64) and "store" not in params)
        malformed_unless(is_whole(begin, 0, U32) and is_whole(params.get("credit"), begin, U32))
        malformed_unless("ifSha256" not in params or is_bytes(wanted, 32, 32))
        if "tag" in params:
            checked_name(params, "tag")
        self.refuse_store(params)
        tags = self.images.list()
        if token is None:
            tag = self.checked_tag(params)
            if tag not in tags:
                raise Refused("NOT_FOUND", "no such image")
        else:
            named = [it for it in tags if self.token_of(it) == bytes(token)]
            if not named:
                raise Refused("STALE", "a token that isn't of this boot")
            tag = named[0]
        return self.image_steps(tag, token is None, begin, params["credit"], wanted and bytes(wanted))

    def image_steps(self, tag, is_named, begin, credit, wanted):
        yield None
        data, kind = self.images.get(tag)
        size = len(data)
        if begin > size:
            raise Refused("INVALID", "from beyond the end")
        if wanted is not None:
            view, found = memoryview(data), hashlib.sha256()
            for at in range(0, size, 65536):
                found.update(view[at : at + 65536])
                yield None
            if found.digest() != wanted:
                raise Refused("CHANGED", "the image is another one")
        head = {"type": self.types.get(kind, "none"), "size": size, "store": "factory", "generation": 0}
        if is_named:
            head["tag"] = tag
        yield Download(data, begin, credit, head)

    def dock_info(self, number, params):
        return self.dock_info_steps()

    def dock_info_steps(self):
        yield None
        used = 0
        for tag in self.images.list():
            used += len(tag.encode()) + self.about(tag)[0]
            yield None
        values = self.values()
        for key in values:
            used += len(key.encode()) + size_of(values[key])
        store = {"store": "factory", "capacity": CAPACITY, "used": used}
        info = {"id": self.id, "model": self.model, "name": self.name, "firmware": "", "sdk": "", "bootId": self.boot}
        info.update({"uptimeMs": self.uptime, "features": [], "stores": [store]})
        yield info


def size_of(value):
    """Bytes of a value (§6); 0 of one that can't be told."""
    try:
        return length_of(encode(value))
    except ValueError:
        return 0


def request_in(body):
    """The id of a request whose rest is malformed, or None (§1.4)."""
    if not (len(body) > 2 and 0x82 <= body[0] <= 0x97 and body[1] == REQUEST):
        return None
    reader = Reader(body[2:])
    try:
        first = reader.take(1)[0]
        number = reader.count(first & 31)
    except Malformed:
        return None
    return number if first >> 5 == 0 and 1 <= number <= U32 else None
