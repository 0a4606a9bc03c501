// Hosts and processes that are made up, as many as it takes: a page of the real console takes its change stream from here and everything else
// from its coordinator. No tests in here.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";

type Row = [pid: number, parent: number, job: number, state: string, host: number, migrations: number];
interface Change {
  reset?: true;
  hosts?: object[];
  processes?: Row[];
  more?: true;
}
export interface MadeUp extends AsyncDisposable {
  send(change: Change): void;
}

/** As the coordinator sends them. */
const BATCH = 1000;

/** @param number from 1 @param more what is not as it is with the others */
export const madeUpHost = (number: number, more: object = {}): object => ({
  ...{ id: String(number).padStart(64, "0"), number, name: `pc${String(number).padStart(5, "0")}`, tags: [], drained: false },
  ...{ stay: false, block: false, state: number % 3 === 0 ? "idle" : "computing", os: "linux", arch: "x64" },
  ...{ cpuModel: "made up", slots: 8, memoryBytes: 2 ** 34, speed: 1, paused: null, pausedCode: null, running: 0 },
  ...{ runnable: 0, blocked: 0, memoryFreeBytes: 2 ** 33, policy: { told: [], obeyed: [], problem: null } },
  ...{ version: null, outOfDate: false, seenAt: Date.now(), ...more },
});
export const madeUpProcess = (pid: number, host: number, migrations = 0): Row => [pid, 0, 1, "running", host, migrations];

/** From the page's next load on. */
export async function makeUp(page: Page, hosts: readonly object[], processes: readonly Row[] = []): Promise<MadeUp> {
  const readers = new Set<ServerResponse>();
  const write = (reader: ServerResponse, change: Change): void => {
    reader.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`);
  };
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    write(response, { reset: true, more: true });
    for (let at = 0; at < hosts.length; at += BATCH) write(response, { hosts: hosts.slice(at, at + BATCH), more: true });
    for (let at = 0; at < processes.length; at += BATCH)
      write(response, { processes: processes.slice(at, at + BATCH), more: true });
    write(response, {});
    readers.add(response);
    response.once("close", () => readers.delete(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await page.route("**/api/changes", (route) => route.continue({ url }));
  return {
    send: (change) => {
      for (const reader of readers) write(reader, change);
    },
    [Symbol.asyncDispose]: async () => {
      for (const reader of readers) reader.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
