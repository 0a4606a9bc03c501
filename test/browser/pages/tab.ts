// A page whose tab is a host.
import {
  keepProgram,
  keptProgram,
  loadDevice,
  openTab,
  type StartOptions,
  type Tab,
  type TabStatus,
} from "@nightshift/agent-app/browser";

let status: TabStatus | undefined;
let tab: Tab | undefined;

addEventListener("pagehide", () => tab?.leave());

Object.assign(globalThis, {
  ready: true,
  join: async (options: Omit<StartOptions, "device">): Promise<void> => {
    tab = openTab(
      (now) => {
        status = now;
      },
      () => undefined,
    );
    await tab.start({ ...options, device: await loadDevice() });
  },
  pause: (reason: string, keepMs: number) => tab?.pause(reason, keepMs, "owner-here"),
  resume: () => tab?.resume(),
  tabStatus: () => status,
  keptProgram: async (hash: string) => (await keptProgram(hash))?.length,
  keepProgram: (hash: string, bytes: number, maxBytes: number) => keepProgram(hash, new Uint8Array(bytes), maxBytes),
});
