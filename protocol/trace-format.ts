/** The format of traces that is written, and the only one that is read. */
export const TRACE_FORMAT = 1;
