import { sharingTest } from "./sharing.js";

sharingTest("has the dock in file 2");
