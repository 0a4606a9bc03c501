// Takes releases of Nightshift that the coordinator gives out: checks who signed them, fetches them, waits until nobody is disturbed, has the
// installer do its work, and goes back when the new version does not reach the coordinator. Owns update.json and the folder updates/.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  compareVersions,
  openRelease,
  type ReleaseFile,
  type ReleaseManifest,
  replaces,
  type SignedRelease,
  type UpgradeStep,
  VERSION_FORM,
} from "@nightshift/coordinator/protocol";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { makeFolder } from "../../headless/policy-files.ts";
import type { DesktopPort } from "./port.ts";
import { type Kept, readUpdateFile, writeUpdateFile } from "./update-file.ts";

export interface UpdatesOptions {
  /** The agent's folder. */
  directory: string;
  /** Release keys that the app was built with, base64url. */
  keys: readonly string[];
}

/** What it has others do. */
export interface UpdatesOn {
  fetch(hash: string, path: string): Promise<void>;
  say(version: string, step: UpgradeStep, problem: string | null): void;
  /** Whether owner and administrator want new versions. */
  wanted(): boolean;
  /** Whether something is watched without any input: a film, a talk. */
  lookedAt(): boolean;
  /** The computing part ends, then the app. */
  leave(): void;
  log(what: "ready" | "installing" | "failed" | "arrived", version: string, problem: string): void;
}

interface Ready {
  manifest: ReleaseManifest;
  file: ReleaseFile;
  back: { manifest: ReleaseManifest; file: ReleaseFile };
}

/** Nobody has touched anything for so long: then nobody looks at the tray either. */
export const AWAY_S = 300;
/** A new version that has not reached the coordinator after this much time running goes back. */
export const ARRIVE_MS = 10 * 60_000;
/** So does one that was started so often without reaching it. */
const MAX_STARTS = 3;
const LOOK_MS = 10_000;
/** An installer that has not ended us by then has failed. */
const REPLACED_MS = 15 * 60_000;
/** What was said last is on its way. */
const SAID_MS = 500;
const MAX_REFUSED = 20;
const MAX_PROBLEM = 1000;

export class Updates {
  private readonly port: DesktopPort;
  private readonly options: UpdatesOptions;
  private readonly on: UpdatesOn;
  private readonly filePath: string;
  private kept: Kept;
  /** Counts what was told, as fetching takes time. */
  private told = 0;
  private ready: Ready | undefined;
  private installing = false;
  private readonly timers = new Set<() => void>();

  constructor(port: DesktopPort, options: UpdatesOptions, on: UpdatesOn) {
    this.port = port;
    this.options = options;
    this.on = on;
    this.filePath = join(options.directory, "update.json");
    this.kept = readUpdateFile(this.filePath);
  }

  /** The kind of file that it would take. */
  get takes(): DesktopPort["updates"]["takes"] {
    return this.options.keys.length === 0 ? null : this.port.updates.takes;
  }

  /** This start is no log-in: the app was running when it was replaced. */
  get isToRunAgain(): boolean {
    return this.kept.trying?.again === true;
  }

  /** The app has started: perhaps for the first time with a new version, or again with the old one. */
  start(): void {
    const { trying } = this.kept;
    if (trying === null) return this.removeFiles(); // what was still in use when it was to go
    const { version } = this.port;
    if (version === trying.to) {
      this.keepIfPossible({ ...this.kept, trying: { ...trying, starts: trying.starts + 1, goingBack: null, again: false } });
      if (trying.starts >= MAX_STARTS)
        return this.goBack(`it was started ${trying.starts} times without reaching the coordinator`);
      this.later(ARRIVE_MS, () => this.goBack(`it did not reach the coordinator within ${ARRIVE_MS / 60_000} minutes`));
    } else {
      const why = trying.goingBack ?? "the installer did not put it in place";
      const tell = version === trying.from ? { version: trying.to, problem: why } : null;
      // Where it has never run, as the power went, say, nothing speaks against another try.
      const { refused } = this.kept;
      const ranInVain = trying.goingBack !== null || trying.starts > 0;
      const again = tell && ranInVain ? [...refused, trying.signedAt].slice(-MAX_REFUSED) : refused;
      this.keepIfPossible({ ...this.kept, trying: null, refused: again, tell });
      if (tell) this.on.log("failed", tell.version, tell.problem);
      this.removeFiles();
    }
  }

  /** The coordinator has welcomed this host. */
  connected(): void {
    const { trying, tell } = this.kept;
    // Too late when the old one is being put back: it has to tell why.
    if (trying && trying.to === this.port.version && trying.goingBack === null) {
      for (const stop of this.timers) stop();
      this.keepIfPossible({ ...this.kept, trying: null, lastSignedAt: trying.signedAt });
      this.on.log("arrived", trying.to, "");
      this.removeFiles();
    }
    if (!tell) return;
    this.on.say(tell.version, "failed", tell.problem);
    this.keepIfPossible({ ...this.kept, tell: null });
  }

  /** @param release null: none, whatever was told before @param back the release of the version that runs */
  async offered(release: SignedRelease | null, back: SignedRelease | null): Promise<void> {
    const mine = ++this.told;
    this.ready = undefined;
    // While the old version is being put back, its file is needed, and whoever comes after it decides.
    if (this.installing || this.kept.trying !== null) return;
    if (release === null) return this.removeFiles();
    const claimed = versionIn(release);
    const say = (step: UpgradeStep, problem: string | null): void => {
      if (claimed !== undefined) this.on.say(claimed, step, problem);
    };
    if (!this.on.wanted()) return say("declined", null);
    try {
      const ready = this.check(release, back);
      makeFolder(this.folder);
      const files = [ready.back.file, ready.file];
      for (const name of readdirSync(this.folder)) if (!files.some((file) => file.name === name)) remove(join(this.folder, name));
      for (const file of files) await this.fetch(file);
      if (mine !== this.told) return;
      this.ready = ready;
      this.on.log("ready", ready.manifest.version, "");
      say("ready", null);
      this.look(mine);
    } catch (thrown) {
      if (mine !== this.told) return;
      const problem = asNightshiftError(thrown).message.slice(0, MAX_PROBLEM);
      this.on.log("failed", claimed ?? "", problem);
      say("failed", this.withoutPaths(problem));
    }
  }

  /** The owner ends the app: then it disturbs nobody. */
  quitting(): void {
    if (this.ready && this.on.wanted()) this.install(this.ready, false);
  }

  /** @throws NS_BAD_RELEASE */
  private check(release: SignedRelease, back: SignedRelease | null): Ready {
    const { version } = this.port;
    const { takes } = this;
    const bad = (why: string): NightshiftError => new NightshiftError("NS_BAD_RELEASE", why);
    const manifest = openRelease(release, this.options.keys);
    if (!replaces(manifest, version)) throw bad(`${manifest.version} is not newer than ${version} and does not withdraw it`);
    if (manifest.signedAt < this.kept.lastSignedAt) throw bad(`${manifest.version} was signed before what was taken last`);
    if (this.kept.refused.includes(manifest.signedAt))
      throw bad(`this PC has tried this release of ${manifest.version} and gone back`);
    const file = manifest.files.find(({ kind }) => kind === takes);
    if (!file) throw bad(`${manifest.version} has nothing that this PC can take`);
    const old = back && openRelease(back, this.options.keys);
    const oldFile = old?.version === version ? old.files.find(({ kind }) => kind === takes) : undefined;
    if (!old || !oldFile) throw bad(`there would be no way back: ${version} has not been published`);
    return { manifest, file, back: { manifest: old, file: oldFile } };
  }

  private async fetch(file: ReleaseFile): Promise<void> {
    const path = this.pathOf(file);
    if (this.isWhole(file)) return;
    await this.on.fetch(file.sha256, path);
    if (!this.isWhole(file)) throw new NightshiftError("NS_BLOB_MISMATCH", `${file.name} did not arrive whole`);
  }

  private look(mine: number): void {
    if (mine !== this.told || !this.ready) return;
    const { power, windows } = this.port;
    const away = power.idleSeconds() >= AWAY_S && !windows.isOpen("main") && !this.on.lookedAt();
    if (!this.on.wanted()) {
      this.on.say(this.ready.manifest.version, "declined", null);
      this.ready = undefined;
    } else if (away) this.install(this.ready, true);
    else this.later(LOOK_MS, () => this.look(mine));
  }

  /** @param restart false: when the owner starts it, or at the next log-in */
  private install({ manifest, file, back }: Ready, restart: boolean): void {
    const { version, signedAt } = manifest;
    this.ready = undefined;
    this.installing = true;
    const trying = {
      from: this.port.version,
      to: version,
      signedAt,
      back: back.file,
      starts: 0,
      goingBack: null,
      again: restart,
    };
    try {
      this.keep({ ...this.kept, trying });
      this.on.say(version, "installing", null);
      this.on.log("installing", version, "");
      const failed = (error: Error): void => this.notInstalled(version, error);
      if (!restart) this.replace(file, version, false, failed);
      else
        this.port.after(SAID_MS, () => {
          try {
            this.replace(file, version, true, failed);
          } catch (thrown) {
            this.notInstalled(version, thrown);
          }
        });
    } catch (thrown) {
      this.notInstalled(version, thrown);
    }
  }

  /** @param failed it turns out later that it cannot be done @throws when that is clear at once */
  private replace(file: ReleaseFile, version: string, restart: boolean, failed: (error: Error) => void): void {
    if (!this.isWhole(file)) throw new NightshiftError("NS_BLOB_MISMATCH", `${file.name} has changed since it was fetched`);
    const older = compareVersions(version, this.port.version) < 0;
    const { ends } = this.port.updates.replace(this.pathOf(file), { older, restart }, failed);
    if (!restart) return;
    if (ends) return this.on.leave();
    // The installer asks the app to leave. Where it does not come to that, all stays as it was.
    this.later(REPLACED_MS, () => failed(new Error("the installer has not come to its end")));
  }

  private notInstalled(version: string, thrown: unknown): void {
    const problem = asNightshiftError(thrown).message.slice(0, MAX_PROBLEM);
    this.installing = false;
    this.keepIfPossible({ ...this.kept, trying: null });
    this.on.say(version, "failed", this.withoutPaths(problem));
    this.on.log("failed", version, problem);
  }

  private goBack(why: string): void {
    const { trying } = this.kept;
    if (trying === null) return;
    this.on.log("failed", trying.to, why);
    // Where that fails it stays as it is, and is tried again at the next start.
    const failed = (thrown: unknown): void => this.on.log("failed", trying.from, asNightshiftError(thrown).message);
    try {
      this.keepIfPossible({ ...this.kept, trying: { ...trying, goingBack: why, again: true } });
      this.replace(trying.back, trying.from, true, failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  private get folder(): string {
    return join(this.options.directory, "updates");
  }

  /** Its name is one of a checked manifest's, never a path. */
  private pathOf({ name }: ReleaseFile): string {
    return join(this.folder, name);
  }

  private isWhole(file: ReleaseFile): boolean {
    try {
      const bytes = readFileSync(this.pathOf(file));
      return bytes.length === file.sizeBytes && createHash("sha256").update(bytes).digest("hex") === file.sha256;
    } catch {
      return false;
    }
  }

  private removeFiles(): void {
    remove(this.folder);
  }

  private later(ms: number, work: () => void): void {
    const stop = this.port.after(ms, () => {
      this.timers.delete(stop);
      work();
    });
    this.timers.add(stop);
  }

  /** Names of files and accounts stay on this PC. */
  private withoutPaths(problem: string): string {
    const known = problem.replaceAll(this.options.directory, "…");
    return known.replaceAll(/'[^']*[\\/][^']*'/g, "…").replaceAll(/\S*[\\/]\S*[\\/]\S*/g, "…");
  }

  /** Of a disk that is full it must not come to more than that something is told or tried again. */
  private keepIfPossible(kept: Kept): void {
    this.kept = kept;
    try {
      this.keep(kept);
    } catch (thrown) {
      this.on.log("failed", kept.trying?.to ?? this.port.version, asNightshiftError(thrown).message);
    }
  }

  /** @throws NS_HOME_UNUSABLE */
  private keep(kept: Kept): void {
    makeFolder(this.options.directory);
    writeUpdateFile(this.filePath, kept);
    this.kept = kept;
  }
}

/** Setup.exe starts the new version while it still runs itself, and Windows removes no program that runs. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // At the next start.
  }
}

/** What it says of itself, unchecked: only to tell the coordinator what an answer is about. */
function versionIn({ text }: SignedRelease): string | undefined {
  try {
    const { version } = JSON.parse(text) as { version?: unknown };
    return typeof version === "string" && VERSION_FORM.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
