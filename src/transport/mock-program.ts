import { join } from "node:path";
import { packageFolder } from "../version.js";

/** The mock as it is installed beside this driver: a program to start, not code to import. */
export const mockProgram = join(packageFolder, "dist", "bin", "dl7450-mock.js");
