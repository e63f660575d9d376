/** `dl7450`: reads and writes the datastore of a DL-7450 dock over a serial port. */
export type { ImageType, KvValue, Layer, Limits } from "../protocol/index.js";
export { DISPLAYLINK, type FoundPort, isDock, listPorts, type PortInfo } from "./discovery.js";
export { Dock, type DockInfo, type OpenOptions } from "./dock.js";
export { DockError, type DockErrorCode, type DockErrorDetails, ERROR_CODES } from "./errors.js";
export type { Holder } from "./holder.js";
export {
  type Image,
  type ImageEntry,
  type ImageGetOptions,
  type ImageInfo,
  type ImageReadOptions,
  ImageStore,
  ImageStream,
  type ImageStreamOptions,
  ImageToken,
  type Progress,
} from "./image-store.js";
export { type KeyEntry, type KeyValue, KvStore, type SchemaOption } from "./kv-store.js";
export { APPLICATION_DATA, FACTORY_DATA, type LayerChoice, type LayerOption, type WriteOptions } from "./layers.js";
export type { LinkCounters, TraceEvent } from "./link.js";
export type { PortChange, WatchOptions } from "./port-watch.js";
export type { ReconnectOptions } from "./reconnect.js";
export type { CallOptions } from "./session.js";
export type { ImageSource } from "./source.js";
export type { Transaction, TransactionOptions } from "./transaction.js";
export type { Transport } from "./transport/transport.js";
export type { UploadProgress } from "./upload.js";
export type { PutImage, PutOptions } from "./writing.js";
