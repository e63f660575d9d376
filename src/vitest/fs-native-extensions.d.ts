/** As far as leases need it: version 1 has no types of its own. */
declare module "fs-native-extensions" {
  /** Locks bytes of an open file, until it is closed or the process ends. False when somebody else has them locked. */
  export function tryLock(fd: number, offset: number, length: number): boolean;
}
