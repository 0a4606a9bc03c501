// One worker thread and the processes in it. A thread that computes answers nothing else, so whoever wants something of one of its
// processes has the one that computes stopped first (at its next poll, well below a millisecond; it gets its turn again).
import type { PipeEnd } from "@nightshift/wasm-kernels/process";
import * as Comlink from "comlink";
import { controlOf, type ProcessControl } from "./control.ts";
import type { Ports, ProcessStatus, StartOrder, WorkerApi, WorkerHandle } from "./ports.ts";

/** A process in the thread, as far as the thread is concerned. */
export interface Inhabitant {
  readonly key: number;
  output(stream: 1 | 2, offset: number, bytes: Uint8Array): void;
  pipeClosed(pipe: PipeEnd): void;
  threadDied(error: Error): void;
}

export class ProcessThread {
  private readonly ports: Ports;
  private readonly inhabitants = new Map<number, Inhabitant>();
  private worker: WorkerHandle | undefined;
  private computing: ProcessControl | undefined;

  constructor(ports: Ports) {
    this.ports = ports;
  }

  get population(): number {
    return this.inhabitants.size;
  }

  /** Starts the thread ahead of need. */
  warmUp(): void {
    this.api();
  }

  /** See WorkerHandle. */
  cpuMs(): number | undefined {
    return this.worker?.cpuMs();
  }

  holds(inhabitant: Inhabitant): boolean {
    return this.inhabitants.get(inhabitant.key) === inhabitant;
  }

  enter(inhabitant: Inhabitant): void {
    this.inhabitants.set(inhabitant.key, inhabitant);
  }

  /** Forgets the process, which is not computing. */
  leave(inhabitant: Inhabitant): void {
    if (!this.holds(inhabitant)) return;
    this.inhabitants.delete(inhabitant.key);
    if (this.worker) void this.call((api) => api.clear(inhabitant.key));
  }

  /** Asks something of one of the processes; whoever computes is stopped for it. */
  call<T>(work: (api: WorkerApi) => Promise<T>): Promise<T> {
    this.computing?.stop();
    return work(this.api());
  }

  /** The images go to the thread: they are the caller's no more. */
  async start(order: StartOrder): Promise<{ control: ProcessControl; status: ProcessStatus }> {
    const images = order.images.map(({ buffer }) => buffer);
    const { control, status } = await this.call((api) => api.start(Comlink.transfer(order, images)));
    return { control: controlOf(this.api(), order.key, control), status };
  }

  async compute(key: number, control: ProcessControl): ReturnType<WorkerApi["run"]> {
    this.computing = control;
    try {
      return await this.api().run(key);
    } finally {
      if (this.computing === control) this.computing = undefined;
    }
  }

  /** Ends the thread at once, with everything in it; the others in it are told, the culprit is not. */
  kill(culprit: Inhabitant, why: Error): void {
    this.inhabitants.delete(culprit.key);
    this.worker?.terminate();
    this.died(why);
  }

  terminate(): void {
    this.worker?.terminate();
    this.worker = undefined;
  }

  private api(): WorkerApi {
    this.worker ??= this.ports.spawnWorker({
      output: (key, stream, offset, bytes) => this.inhabitants.get(key)?.output(stream, offset, bytes),
      pipeClosed: (key, pipe) => this.inhabitants.get(key)?.pipeClosed(pipe),
      died: (error) => this.died(error),
    });
    return this.worker.api;
  }

  private died(error: Error): void {
    this.worker = undefined;
    this.computing = undefined;
    const victims = [...this.inhabitants.values()];
    this.inhabitants.clear();
    for (const victim of victims) victim.threadDied(error);
  }
}
