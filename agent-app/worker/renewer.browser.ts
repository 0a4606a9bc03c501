// The thread in browsers that has processes renewed (renewal.ts). Started beside the thread that computes, by whoever starts that: one that computes
// could not help it to load.
import { Renewer, TICK_MS, type ToRenewer } from "./renewal.ts";

const renewer = new Renewer();
addEventListener("message", ({ data: port }: MessageEvent<MessagePort>) => {
  port.onmessage = ({ data }: MessageEvent<ToRenewer>) => renewer.told(data);
});
setInterval(() => renewer.tick(), TICK_MS);
