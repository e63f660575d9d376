/** The contract between host and dock, with nothing of either in it: `import { … } from "dl7450/protocol"`. */
export { Assembly, type Range, type Taken } from "./assembly.js";
export { cobsBound, cobsDecode, cobsEncode } from "./cobs.js";
export { type DecodedBody, decodeBody, encodeBody } from "./codec.js";
export { crc32 } from "./crc.js";
export { FAILURES, type Failure, type FailureCode, isFailureCode } from "./errors.js";
export { IMAGE_TYPES, type ImageType, isKvValue, type KvValue, LAYERS, type Layer, utf8Length } from "./fields.js";
export {
  DELIMITER,
  DELIMITER_BYTES,
  type DecodedFrame,
  decodeFrame,
  encodeFrame,
  FrameBatch,
  type FrameLoss,
  frameBound,
  LineGuard,
  type LinePiece,
} from "./frame.js";
export { HEAD_BYTES, typeOf } from "./image-type.js";
export { type Item, isArray } from "./item.js";
export { type Json, jsonValue, valueOfJson } from "./json-value.js";
export * from "./limits.js";
export {
  type DockMessage,
  encodeMessage,
  type Hello,
  type HostMessage,
  type Parsed,
  PROTOCOL_VERSION,
  parseDockMessage,
  parseHostMessage,
  type Welcome,
} from "./messages.js";
export {
  changes,
  type ImageHead,
  imageHead,
  isOperation,
  type Operation,
  operations,
  type Params,
  type Result,
} from "./operations.js";
export { LARGEST_PIECE, Sending } from "./sending.js";
export { NotATrace, type TraceLine, TraceReader, type TraceRecord } from "./trace.js";
export { TRACE_FORMAT } from "./trace-format.js";
export { LARGEST_PORT_WINDOW, LARGEST_WINDOW, LEAST_WINDOW, Window } from "./window.js";
