import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { describe, expect, it } from "vitest";
import type { Attachment, ClientEvent, ExitReport, Params, RpcClient } from "../protocol/index.ts";
import { followOutput, pumpStdin, type Sink } from "./follow.ts";
import { Session } from "./session.ts";

const DONE: ExitReport = { kind: "exit", code: 0 };
const STREAM = new TextEncoder().encode("abcdefghijklmnopqrstuvwxyz");

/** One connection: plays its script when somebody attaches. */
type Script = (from: Params<"attach">, tell: (event: ClientEvent) => void, end: { done(): void; lost(): void }) => void;

function sessionOf(scripts: Script[], onRequest: (params: Params<"stdin">) => number = () => 0): Session {
  let connections = 0;
  const connect = async (): Promise<RpcClient> => {
    const script = scripts[Math.min(connections++, scripts.length - 1)];
    let closed: (error: NightshiftError | undefined) => void = () => undefined;
    const client = {
      onClose: (handler: typeof closed) => {
        closed = handler;
      },
      close: () => undefined,
      request: async (_method: string, params: Params<"stdin">) => ({ accepted: onRequest(params) }),
      attach: async (params: Params<"attach">, tell: (event: ClientEvent) => void): Promise<Attachment> => {
        const ended = Promise.withResolvers<ExitReport>();
        ended.promise.catch(() => undefined);
        let over = false;
        script?.(params, (event) => void (over || tell(event)), {
          done: () => ended.resolve(DONE),
          lost: () => {
            const error = new NightshiftError("NS_CONNECTION_LOST", "gone");
            closed(error);
            ended.reject(error);
          },
        });
        const stop = (): void => {
          over = true;
          ended.reject(new NightshiftError("NS_CANCELLED", "stopped"));
        };
        return { job: 1, ended: ended.promise, stop };
      },
    };
    return client as unknown as RpcClient;
  };
  return new Session({ connect, giveUpMs: 1000, wait: async () => undefined });
}

const output = (from: number, to: number): ClientEvent => ({
  event: "output",
  pid: 1,
  part: 1,
  stream: 1,
  end: to,
  bytes: STREAM.slice(from, to),
});

function collector(limit = Number.POSITIVE_INFINITY): Sink & { text(): string; pauses: number } {
  let [text, since] = ["", 0];
  const sink = {
    pauses: 0,
    write: (_stream: 1 | 2, bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      since += bytes.length;
      return since < limit;
    },
    ready: async () => {
      sink.pauses++;
      since = 0;
    },
    text: () => text,
  };
  return sink;
}

const followed = { job: 1, pid: null, follow: true };

describe("following a job's output", () => {
  it("goes on at the exact byte when the connection is lost, and takes nothing twice", async () => {
    const sink = collector();
    const session = sessionOf([
      (_, tell, end) => {
        tell(output(0, 5));
        tell(output(5, 9));
        end.lost();
      },
      ({ stdout }, tell, end) => {
        expect(stdout).toEqual({ part: 1, offset: 9 });
        tell(output(7, 12)); // overlaps what is known
        tell(output(3, 12)); // is known altogether
        tell(output(0, 5)); // as well, and ends earlier
        tell(output(10, 26));
        end.done();
      },
    ]);
    expect(await followOutput(session, followed, sink)).toEqual(DONE);
    expect(sink.text()).toBe("abcdefghijklmnopqrstuvwxyz");
  });

  it("stops when the reader is slow, and loses nothing of what came meanwhile, not even at the end", async () => {
    const sink = collector(4);
    const session = sessionOf([
      ({ stdout }, tell, end) => {
        // Everything at once, before the follower can say stop.
        for (let at = stdout?.offset ?? 0; at < 26; at += 2) tell(output(at, Math.min(26, at + 2)));
        end.done();
      },
    ]);
    await followOutput(session, followed, sink);
    expect(sink.text()).toBe("abcdefghijklmnopqrstuvwxyz");
    expect(sink.pauses).toBeGreaterThan(3);
  });
});

describe("sending stdin", () => {
  it("sends again what was not taken, at the exact offset, and then the end", async () => {
    const seen: string[] = [];
    let received = "";
    const session = sessionOf([], ({ offset, bytes, end }) => {
      seen.push(`${offset}${end ? " end" : ""}`);
      expect(offset).toBe(received.length);
      const taken = seen.length === 2 ? 0 : Math.min(3, bytes.length);
      received += new TextDecoder().decode(bytes.subarray(0, taken));
      return taken;
    });
    async function* input(): AsyncGenerator<Uint8Array> {
      yield STREAM.slice(0, 5);
      yield STREAM.slice(5, 7);
    }
    await pumpStdin(session, 1, input(), async () => undefined);
    expect(received).toBe("abcdefg");
    expect(seen).toEqual(["0", "3", "3", "5", "7 end"]);
  });
});

it("a coordinator that does not come back is given up after the time asked for", async () => {
  let now = 0;
  let first = true;
  const session = new Session({
    connect: async () => {
      if (!first) throw new NightshiftError("NS_UNREACHABLE", "nobody there");
      first = false;
      let closed: (error?: NightshiftError) => void = () => undefined;
      return {
        onClose: (handler: typeof closed) => {
          closed = handler;
        },
        close: () => undefined,
        request: async () => {
          closed();
          throw new NightshiftError("NS_CONNECTION_LOST", "gone");
        },
      } as unknown as RpcClient;
    },
    giveUpMs: 60_000,
    now: () => now,
    wait: async (ms) => {
      now += ms;
    },
  });
  await expect(session.run((client) => client.request("status", {}))).rejects.toMatchObject({ code: "NS_CONNECTION_LOST" });
  expect(now).toBeGreaterThan(60_000);
  expect(now).toBeLessThan(70_000);
});
