// What the change stream costs with 1,000 hosts and 100,000 processes: a real coordinator over HTTP whose hosts are made up, real clients that
// read. Bytes and milliseconds of the first picture and of each change.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isEnded } from "../../scheduler/index.ts";
import { startCoordinator } from "../../server/index.ts";
import { openSqlite } from "../../store/index.ts";

export interface StreamFigures {
  hosts: number;
  processes: number;
  clients: number;
  /** The first picture: bytes of one client, and until all of it is there. */
  firstBytes: number;
  firstMs: number;
  changes: number;
  /** Bytes of one change to one client. */
  changeBytes: number;
  /** Until every client has the last change, all of them made at once. */
  lastMs: number;
  /** This process's CPU time, the clients' reading included, for one change to all clients. */
  changeCpuMs: number;
}

const JOBS = 100;
const CHANGES = 10_000;
const PASSWORD = "only for measuring";

export async function measureStream(quick: boolean, progress: (text: string) => void): Promise<StreamFigures> {
  const [hosts, processes, clients] = quick ? [20, 1000, 2] : [1000, 100_000, 10];
  const home = mkdtempSync(join(tmpdir(), "nightshift-bench-"));
  try {
    progress("making up processes");
    fill(home, hosts, processes);
    const running = await startCoordinator({ home, port: 0, settings: { balance: false, leaseMs: 3_600_000 } });
    try {
      const { coordinator } = running;
      for (let host = 0; host < hosts; host++) connectHost(coordinator, host);
      await coordinator.stored();
      progress("first pictures");
      const cookie = await signIn(running.consoleUrl, running.port);
      const began = performance.now();
      const readers = await Promise.all(Array.from({ length: clients }, () => read(running.port, cookie)));
      await Promise.all(readers.map((reader) => reader.until(() => reader.complete)));
      const firstMs = performance.now() - began;
      const firstBytes = readers[0]?.bytes ?? 0;
      progress("changes");
      for (const reader of readers) reader.bytes = 0;
      const alive = [...coordinator.core.alive.values()].filter((process) => !isEnded(process));
      const changes = Math.min(CHANGES, alive.length);
      const cpu = process.cpuUsage();
      const start = performance.now();
      const moved = new Set<number>();
      for (const { pid, host } of alive.slice(0, changes)) {
        const to = (Number(host?.slice(0, 8)) + 1) % hosts;
        coordinator.apply((core, now) => core.migrate(pid, idOf(to), now));
        moved.add(pid);
      }
      await Promise.all(readers.map((reader) => reader.until(() => [...moved].every((pid) => reader.migrating.has(pid)))));
      const lastMs = performance.now() - start;
      const { user, system } = process.cpuUsage(cpu);
      for (const reader of readers) reader.stop();
      const changeBytes = (readers[0]?.bytes ?? 0) / changes;
      return {
        hosts,
        processes,
        clients,
        firstBytes,
        firstMs,
        changes,
        changeBytes,
        lastMs,
        changeCpuMs: (user + system) / 1000 / changes,
      };
    } finally {
      await running.close();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const idOf = (host: number): string => `${String(host).padStart(8, "0")}${"0".repeat(56)}`;
type Coordinator = Awaited<ReturnType<typeof startCoordinator>>["coordinator"];

/** Jobs with running processes, spread over the hosts, as an earlier run of a coordinator would have left them. */
function fill(home: string, hosts: number, processes: number): void {
  const folder = join(home, "coordinator");
  mkdirSync(folder, { recursive: true });
  const store = openSqlite(join(folder, "state.sqlite"));
  const spec = {
    name: "made-up",
    program: "0".repeat(64),
    args: [],
    env: {},
    files: {},
    memoryLimitBytes: 2 ** 30,
    cpuLimitMs: 0,
  };
  const more = { clock: "virtual" as const, startOn: null, stay: false, stdin: false };
  const sums = {
    stdoutBytes: 0,
    stderrBytes: 0,
    stdinBytes: 0,
    migrations: 0,
    migratedRunning: 0,
    migratedProcesses: 0,
    restarts: 0,
  };
  const rest = { freezesMs: [], migrationBytes: 0, migrationMessages: 0, files: 0, by: "bench", report: null, endedAt: null };
  const jobs = Array.from({ length: JOBS }, (_, at) => ({
    kind: "job" as const,
    value: {
      id: at + 1,
      spec: { ...spec, ...more },
      root: at + 1,
      state: "running" as const,
      submittedAt: Date.now(),
      processes: processes / JOBS,
      parts: { total: 1, done: 0, failed: 0 },
      since: { at: Date.now(), ended: 0 },
      ...sums,
      ...rest,
    },
  }));
  const specs = jobs.map(({ value: { id, spec: value } }) => ({ kind: "spec" as const, job: id, value }));
  const parts = jobs.map(({ value: { id } }) => ({
    kind: "part" as const,
    value: {
      ...{ job: id, number: 1, root: id, state: "running" as const, report: null, tries: 1, endedAt: null },
      ...{ stdoutBytes: 0, stderrBytes: 0, files: {} },
    },
  }));
  const records = Array.from({ length: processes }, (_, at) => ({
    kind: "process" as const,
    value: {
      ...{
        pid: at + 1,
        parent: 0,
        job: (at % JOBS) + 1,
        part: 1,
        state: "running" as const,
        host: idOf(at % hosts),
        epoch: 1,
        leaseUntil: 0,
      },
      ...{
        destination: null,
        image: null,
        answers: {},
        waiting: null,
        seed: "1",
        forks: 0,
        outputBytes: 0,
        errorBytes: 0,
        cpuMs: 0,
      },
      ...{ memoryBytes: 0, migrations: 0, startedAt: Date.now(), movedAt: 0, placedByHand: false, report: null },
    },
  }));
  store.commit({ saved: [...jobs, ...specs, ...parts, ...records], output: [] });
  store.close();
}

function connectHost(coordinator: Coordinator, host: number): void {
  const id = idOf(host);
  const info = { name: `pc${host}`, os: "linux", arch: "x64", cpuModel: "made up", slots: 8, memoryBytes: 2 ** 34, speed: 100 };
  const held = [...coordinator.core.alive.values()]
    .filter((process) => process.host === id)
    .map(({ pid }) => ({ pid, epoch: 1 }));
  coordinator.apply((core, now) => core.hostConnected(id, info, held, now));
}

async function signIn(consoleUrl: string, port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/invitations/accept`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: consoleUrl.split("#")[1], name: "bench", password: PASSWORD }),
  });
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

interface Reader {
  bytes: number;
  /** All of the first picture has come. */
  complete: boolean;
  migrating: Set<number>;
  until(what: () => boolean): Promise<void>;
  stop(): void;
}

async function read(port: number, cookie: string): Promise<Reader> {
  const controller = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/api/changes`, { headers: { cookie }, signal: controller.signal });
  let wake: () => void = () => {};
  const reader: Reader = {
    bytes: 0,
    complete: false,
    migrating: new Set(),
    until: async (what) => {
      while (!what())
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
    stop: () => controller.abort(),
  };
  void (async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      reader.bytes += part.length;
      const events = (rest + decoder.decode(part, { stream: true })).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (!data) continue;
        const change = JSON.parse(data);
        for (const [pid, , , state] of change.processes ?? []) if (state === "migrating") reader.migrating.add(pid);
        if (!change.more) reader.complete = true;
      }
      wake();
    }
  })().catch(() => undefined);
  return reader;
}
