/** As far as the mock needs it: it has no types of its own. */
declare module "@micropython/micropython-webassembly-pyscript/micropython.mjs" {
  /** Emscripten's file system, in which a device is read and written in Python's own memory. */
  export interface FileSystem {
    readonly ErrnoError: new (number: number) => Error;
    mkdir(path: string): void;
    writeFile(path: string, content: string | Uint8Array): void;
    makedev(major: number, minor: number): number;
    registerDevice(
      device: number,
      operations: {
        /** Gives how many bytes there were: 0 when there are none now. An `ErrnoError` becomes an OSError. */
        read(stream: unknown, memory: Int8Array, offset: number, length: number): number;
        /** Gives how many bytes it has taken. */
        write(stream: unknown, memory: Int8Array, offset: number, length: number): number;
      },
    ): void;
    mkdev(path: string, mode: number, device: number): void;
    closeStream(number: number): void;
    /** Gives a stream with the lowest number that is free. */
    open(path: string, flags: "r" | "w"): unknown;
  }

  export interface MicroPython {
    readonly FS: FileSystem;
    readonly _module: { _malloc(bytes: number): number; _free(address: number): void };
    registerJsModule(name: string, module: object): void;
    runPython(code: string): unknown;
  }

  export function loadMicroPython(options: {
    /** Bytes of Python's heap at first; it grows. */
    heapsize: number;
    stdout: (line: string) => void;
    stderr: (line: string) => void;
    linebuffer: boolean;
  }): Promise<MicroPython>;
}
