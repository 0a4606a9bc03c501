// The two files of the policy on disk: the owner's, which the agent writes too, whole or not at all, and the administrator's, which it
// only reads. Both are watched, so that what is changed in them counts at once. What may stand in them is policy/sources.ts's.
import {
  closeSync,
  existsSync,
  type FSWatcher,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { MAX_FILE_BYTES } from "../policy/index.ts";

/** Where the administrator's file belongs: a place that only administrators can write to. */
export function adminPolicyPath(platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return join(process.env.ProgramData ?? "C:\\ProgramData", "Nightshift", "policy.json");
  return platform === "darwin" ? "/Library/Application Support/Nightshift/policy.json" : "/etc/nightshift/policy.json";
}

export const ownerFilePath = (directory: string): string => join(directory, "settings.json");

/** A file is written in several steps: it is looked at when they are likely to be over. */
const SETTLE_MS = 50;
/** Some programs remove a file before they write it anew: it counts as gone only when it stays away. */
const GONE_MS = 1000;
/** How often it is looked at where the system cannot watch it. */
const UNWATCHED_MS = 30_000;

export interface PolicyFileOptions<T> {
  /** null: there is no file, and none is written. */
  path: string | null;
  /** @throws NS_BAD_POLICY */
  parse(text: string, where: string): T;
  /** What counts without a file. */
  none: T;
}

/** What a file says, as it is now. A file that goes bad counts for nothing: what it said before stands, and `problem` tells. */
export class PolicyFile<T> {
  private readonly options: PolicyFileOptions<T>;
  private current: T;
  /** As last read or written; null: there was no file. */
  private seen: string | null = null;
  private bad: string | null = null;
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private onChange: () => void = () => {};

  /** @throws NS_BAD_POLICY */
  constructor(options: PolicyFileOptions<T>) {
    this.options = options;
    const { path, parse, none } = options;
    this.seen = path && readText(path);
    this.current = path === null || this.seen === null ? none : parse(this.seen, path);
  }

  get value(): T {
    return this.current;
  }

  /** What is wrong with the file now, or null. */
  get problem(): string | null {
    return this.bad;
  }

  /** It counts from now on, until the file says otherwise. */
  set(value: T): void {
    this.current = value;
  }

  /** @throws NS_HOME_UNUSABLE */
  save(format: (value: T) => string): void {
    if (this.options.path === null) return;
    const text = format(this.current);
    writeWhole(this.options.path, text);
    this.seen = text;
    this.bad = null;
  }

  /** @param onChange called when the file has changed what counts, or has gone bad or good */
  watch(onChange: () => void): void {
    this.onChange = onChange;
    this.look();
  }

  close(): void {
    clearTimeout(this.timer);
    this.watcher?.close();
    this.onChange = () => {};
  }

  /** The folder is watched, as another file may take the name; where it does not exist yet, the one in which it would appear. */
  private arm(path: string): void {
    this.watcher?.close();
    let folder = dirname(path);
    while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
    const names = [basename(path), basename(folder), basename(dirname(path))];
    const there = folder === dirname(path);
    try {
      this.watcher = watch(folder, { persistent: false }, (_, name) => {
        if (!there || name === null || names.includes(name)) this.lookIn(SETTLE_MS);
      });
      this.watcher.on("error", () => this.lookIn(UNWATCHED_MS));
    } catch {
      this.lookIn(UNWATCHED_MS);
    }
  }

  private lookIn(ms: number, gone = false): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.look(gone);
    }, ms);
    this.timer.unref();
  }

  private look(gone = false): void {
    const { path, parse, none } = this.options;
    if (path === null) return;
    this.arm(path); // before it is read: what changes after that is seen
    let problem: string | null = null;
    try {
      const text = readText(path);
      if (text === null && this.seen !== null && !gone) return this.lookIn(GONE_MS, true);
      if (text === this.seen && this.bad === null) return;
      this.current = text === null ? none : parse(text, path);
      this.seen = text;
    } catch (thrown) {
      problem = asNightshiftError(thrown).message;
      if (problem === this.bad) return;
    }
    this.bad = problem;
    this.onChange();
  }
}

/** The agent's own, for this user alone. @throws NS_HOME_UNUSABLE */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `${path} cannot be made: ${(cause as Error).message}`, { cause });
  }
}

/** Whatever happens meanwhile, the file is the old one or the new one; only this user reads it. @throws NS_HOME_UNUSABLE */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  try {
    const handle = openSync(temporary, "w", 0o600);
    try {
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
    if (process.platform !== "win32") syncFolder(dirname(path));
  } catch (thrown) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `${path} cannot be written: ${(thrown as Error).message}`, { cause: thrown });
  }
}

/** The new name must survive too. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readText(path: string): string | null {
  try {
    if (statSync(path).size > MAX_FILE_BYTES)
      throw new NightshiftError("NS_BAD_POLICY", `${path} is larger than ${MAX_FILE_BYTES} bytes`);
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    if (thrown instanceof NightshiftError) throw thrown;
    throw new NightshiftError("NS_BAD_POLICY", `${path} cannot be read: ${(thrown as Error).message}`, { cause: thrown });
  }
}
