// The results of a job's parts on the disk, a folder for each part: stdout, stderr, and the files it wrote. Each is written when its part has
// ended, and anew when the part has been tried again since.
import { mkdir, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type ExitReport, type Result, type RpcClient, severalAtOnce } from "../protocol/index.ts";
import { followOutput } from "./follow.ts";
import { writeBack } from "./job-files.ts";
import type { Session } from "./session.ts";

export type PartRow = Result<"parts">[number];

/** All parts of a job from this one on, by number. */
export async function partsOf(session: Session, job: number, from = 1): Promise<PartRow[]> {
  const rows: PartRow[] = [];
  for (;;) {
    const page = await session.run((client: RpcClient) => client.request("parts", { job, after: rows.at(-1)?.part ?? from - 1 }));
    rows.push(...page);
    if (page.length === 0) return rows;
  }
}

const hasEnded = ({ state }: PartRow): boolean => state !== "queued" && state !== "running";

export class Results {
  readonly folder: string;
  private readonly session: Session;
  private readonly job: number;
  private readonly total: number;
  private readonly written = new Set<number>();
  /** All before it are written. */
  private next = 1;

  /** @param folder made when it is missing */
  constructor(session: Session, job: number, total: number, folder: string) {
    this.session = session;
    this.job = job;
    this.total = total;
    this.folder = resolve(folder);
  }

  get count(): number {
    return this.written.size;
  }

  /** Writes those that have ended and are not written yet. @returns problems with single files: the others are written all the same */
  async write(): Promise<NightshiftError[]> {
    const problems: NightshiftError[] = [];
    for (const part of await partsOf(this.session, this.job, this.next)) {
      if (!hasEnded(part) || this.written.has(part.part)) continue;
      problems.push(...(await this.writePart(part)));
      this.written.add(part.part);
    }
    while (this.written.has(this.next)) this.next++;
    return problems;
  }

  /** "007" of 100. */
  private folderOf(part: number): string {
    return join(this.folder, String(part).padStart(String(this.total).length, "0"));
  }

  private async writePart({ part, files }: PartRow): Promise<NightshiftError[]> {
    const folder = this.folderOf(part);
    await mkdir(folder, { recursive: true }).catch((cause: Error) => {
      throw new NightshiftError("NS_BAD_FILE", `Cannot make ${folder}: ${cause.message}`, { cause });
    });
    await this.writeOutput(part, folder);
    const problems: NightshiftError[] = [];
    await severalAtOnce(Object.entries(files), async ([path, { hash }]) => {
      // stdout and stderr are the part's own, whatever it called its files.
      const name = path === "stdout" || path === "stderr" ? `files/${path}` : path;
      try {
        await writeBack(folder, name, await this.session.run((client) => client.blobs.getBlob(hash)));
      } catch (thrown) {
        problems.push(asNightshiftError(thrown));
      }
    });
    return problems;
  }

  private async writeOutput(part: number, folder: string): Promise<ExitReport> {
    const streams = [await open(join(folder, "stdout"), "w"), await open(join(folder, "stderr"), "w")] as const;
    let last: Promise<unknown> = Promise.resolve();
    try {
      const report = await followOutput(
        this.session,
        { job: this.job, part, pid: null, follow: false },
        {
          write: (stream, bytes) => {
            last = last.then(() => streams[stream - 1]?.writeFile(bytes));
            return true;
          },
          ready: () => last.then(() => undefined),
        },
      );
      await last;
      return report;
    } finally {
      await Promise.all(streams.map((stream) => stream.close()));
    }
  }
}
