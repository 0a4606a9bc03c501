// From a source to a program that can migrate, on the coordinator's computer: compiled, made migratable, stored.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Blobs } from "../blobs/index.ts";
import type { Programs } from "./programs.ts";

/** Compilations wait for each other: each takes a core and hundreds of megabytes. */
const MAX_COMPILING = 20;

/** Compiles sources one after the other, each in a folder of its own, so that it includes nothing else. */
export class Compiler {
  private readonly folder: string;
  private readonly blobs: Blobs;
  private readonly programs: Programs;
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** @param folder where it works, and what that leaves for the next time */
  constructor(folder: string, blobs: Blobs, programs: Programs) {
    this.folder = folder;
    this.blobs = blobs;
    this.programs = programs;
  }

  /**
   * @param name of a file: its ending says what it is
   * @param pin see Programs.instrument()
   * @throws NS_COMPILE_FAILED with what the compiler said, NS_NOT_WASM, NS_LIMIT, NS_RATE_LIMITED, and as Programs.instrument()
   */
  async program(name: string, source: Uint8Array, pin: boolean): Promise<{ program: string; diagnostics: string }> {
    const { wasm, diagnostics } = await this.compile(name, source);
    const module = createHash("sha256").update(wasm).digest("hex");
    await this.blobs.put(module, wasm);
    const { program } = await this.programs.instrument(module, pin);
    return { program, diagnostics };
  }

  private async compile(name: string, source: Uint8Array): Promise<{ wasm: Uint8Array; diagnostics: string }> {
    if (this.waiting >= MAX_COMPILING) throw new NightshiftError("NS_RATE_LIMITED", "too many programs wait to be compiled");
    this.waiting++;
    const turn = this.last.then(() => this.now(name, source));
    this.last = turn.catch(() => undefined).finally(() => this.waiting--);
    return turn;
  }

  private async now(name: string, source: Uint8Array): Promise<{ wasm: Uint8Array; diagnostics: string }> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(join(this.folder, "source-"));
    const local = (text: string): string => text.replaceAll(`${folder}/`, "").replaceAll(folder, "");
    try {
      const path = join(folder, name);
      await writeFile(path, source);
      const { compile } = await import("@nightshift/wasm-kernels/toolchain");
      const { wasm, diagnostics } = await compile({ sources: [path], cacheDir: join(this.folder, "cache") });
      return { wasm, diagnostics: local(diagnostics) };
    } catch (thrown) {
      const { code, message } = asNightshiftError(thrown);
      if (code === "NS_INTERNAL") throw thrown;
      throw new NightshiftError(code, local(message), { cause: thrown });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
