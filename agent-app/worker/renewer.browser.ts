// The thread in browsers that has processes renewed (renewal.ts). Started by worker.browser.ts.
import { Renewer, TICK_MS, type ToRenewer } from "./renewal.ts";

const renewer = new Renewer();
addEventListener("message", ({ data }: MessageEvent<ToRenewer>) => renewer.told(data));
setInterval(() => renewer.tick(), TICK_MS);
// It runs: see worker.browser.ts.
postMessage("ready");
