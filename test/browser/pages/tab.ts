// A page whose tab is a host.
import { openTab, type StartOptions, type Tab, type TabStatus } from "@nightshift/agent-app/browser";

let status: TabStatus | undefined;
let tab: Tab | undefined;

Object.assign(globalThis, {
  ready: true,
  join: async (options: StartOptions): Promise<void> => {
    tab = openTab(
      (now) => {
        status = now;
      },
      () => undefined,
    );
    await tab.start(options);
  },
  pause: (reason: string, keepMs: number) => tab?.pause(reason, keepMs, "owner-here"),
  resume: () => tab?.resume(),
  tabStatus: () => status,
});
