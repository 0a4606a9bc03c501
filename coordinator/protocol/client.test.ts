// Requests, events and failures over a real tunnel, the coordinator's side scripted by the test.
import type { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { afterEach, describe, expect, test } from "vitest";
import { RpcClient } from "./client.ts";
import type { ServedTunnel } from "./handshake.ts";
import { type ClientEvent, type FromClient, PROTOCOL_VERSION } from "./messages.ts";
import { type Loopback, startLoopback, until } from "./node/loopback.ts";

const open: Loopback[] = [];
afterEach(async () => {
  for (const loopback of open.splice(0)) await loopback.close();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
type Request = FromClient & { type: "request" };
const following = { job: 1, pid: null, follow: true };
const exit = { kind: "exit", code: 3 } as const;
const ended = { event: "ended", report: exit } as const;
const output = (end: number) => ({ event: "output", pid: 1, part: 1, stream: 1, end, bytes: new Uint8Array(2) }) as const;

/** A client whose coordinator welcomes it and answers with `script`. */
async function client(
  script: (request: Request, tunnel: ServedTunnel<"client">) => void = () => undefined,
  version = PROTOCOL_VERSION,
) {
  const stopped: number[] = [];
  const server = await startLoopback({
    onAccepted: ({ role, tunnel }) => {
      if (role !== "client") return;
      tunnel.onMessage((message) => {
        if (message.type === "hello") tunnel.send({ type: "welcome", version });
        else if (message.type === "request") script(message, tunnel);
        else stopped.push(message.id);
      });
    },
  });
  open.push(server);
  return { server, stopped, rpc: await RpcClient.open(await server.connect("client")) };
}

describe("requests", () => {
  test("answers go to whoever asked, in whatever order they come", async () => {
    const waiting: Request[] = [];
    const { rpc } = await client((request, tunnel) => {
      waiting.push(request);
      if (waiting.length < 3) return;
      for (const { id, params } of waiting.reverse()) {
        tunnel.send({ type: "response", id, result: { cancelled: (params as { pid: number }).pid * 10 } });
      }
    });
    const answers = await Promise.all([1, 2, 3].map((pid) => rpc.request("cancel", { pid, job: null })));
    expect(answers).toEqual([10, 20, 30].map((cancelled) => ({ cancelled })));
    expect(rpc.pendingCount).toBe(0);
  });

  test("a failure becomes an error with its code, message and details", async () => {
    const { rpc } = await client(({ id }, tunnel) => {
      tunnel.send({ type: "failure", id, code: "NS_NO_SUCH_PROCESS", message: "There is no process 7", details: { pid: 7 } });
    });
    await expect(rpc.request("migrate", { pid: 7, host: "b" })).rejects.toThrow(
      expect.objectContaining({ code: "NS_NO_SUCH_PROCESS", message: "There is no process 7", details: { pid: 7 } }),
    );
  });

  test("a code of a newer version is kept in the details, and no inherited name passes for one", async () => {
    const codes = ["NS_FROM_THE_FUTURE", "toString"];
    const { rpc } = await client(({ id }, tunnel) => {
      tunnel.send({ type: "failure", id, code: codes.shift() ?? "", message: "new", details: {} });
    });
    await expect(rpc.request("hosts", {})).rejects.toThrow(
      expect.objectContaining({ code: "NS_INTERNAL", details: { code: "NS_FROM_THE_FUTURE" } }),
    );
    await expect(rpc.request("hosts", {})).rejects.toThrow(code("NS_INTERNAL"));
  });

  test("a result of another shape is NS_BAD_MESSAGE for that request only", async () => {
    const results: unknown[] = [{ cancelled: "many" }, { cancelled: 1 }];
    const { rpc } = await client(({ id }, tunnel) => tunnel.send({ type: "response", id, result: results.shift() }));
    await expect(rpc.request("cancel", { pid: 1, job: null })).rejects.toThrow(code("NS_BAD_MESSAGE"));
    expect(await rpc.request("cancel", { pid: 1, job: null })).toEqual({ cancelled: 1 });
  });

  test("an answer to nobody is ignored", async () => {
    const { rpc } = await client(({ id }, tunnel) => {
      tunnel.send({ type: "response", id: 999, result: null });
      tunnel.send({ type: "response", id, result: [] });
    });
    expect(await rpc.request("hosts", {})).toEqual([]);
  });

  test("a lost connection rejects what is pending and what comes later", async () => {
    const { rpc, server } = await client(() => server.cut());
    let told: NightshiftError | undefined;
    rpc.onClose((error) => {
      told = error;
    });
    await expect(rpc.request("hosts", {})).rejects.toThrow(code("NS_CONNECTION_LOST"));
    await expect(rpc.request("hosts", {})).rejects.toThrow(code("NS_CONNECTION_LOST"));
    expect(told).toEqual(code("NS_CONNECTION_LOST"));
  });

  test("a coordinator of another version is NS_VERSION_MISMATCH", async () => {
    await expect(client(undefined, 2)).rejects.toThrow(code("NS_VERSION_MISMATCH"));
  });
});

describe("following", () => {
  test("events arrive in order, also those before the answer, until the end", async () => {
    const events: ClientEvent[] = [];
    const { rpc } = await client(({ id }, tunnel) => {
      tunnel.send({ type: "event", id, event: output(2) });
      tunnel.send({ type: "response", id, result: { job: 1 } });
      tunnel.send({ type: "event", id, event: output(4) });
      tunnel.send({ type: "event", id, event: ended });
      tunnel.send({ type: "event", id, event: output(6) });
    });
    const attachment = await rpc.attach(following, (event) => events.push(event));
    expect(await attachment.ended).toEqual(exit);
    expect(events).toEqual([output(2), output(4), ended]);
    expect(rpc.pendingCount).toBe(0);
  });

  test("an end that comes before the answer is not lost", async () => {
    const { rpc } = await client(({ id }, tunnel) => {
      tunnel.send({ type: "event", id, event: ended });
      tunnel.send({ type: "response", id, result: { job: 1 } });
    });
    const attachment = await rpc.attach(following, () => undefined);
    expect(await attachment.ended).toEqual(exit);
  });

  test("stop ends the events and tells the coordinator", async () => {
    const { rpc, stopped } = await client(({ id }, tunnel) => tunnel.send({ type: "response", id, result: { job: 1 } }));
    const attachment = await rpc.attach(following, () => undefined);
    attachment.stop();
    attachment.stop();
    await expect(attachment.ended).rejects.toThrow(code("NS_CANCELLED"));
    await until(() => stopped.length === 1, "the coordinator hears it");
  });

  test("a failure after the answer, and a lost connection, reject the end", async () => {
    const { rpc, server } = await client(({ id, params }, tunnel) => {
      tunnel.send({ type: "response", id, result: { job: 1 } });
      if ((params as { pid: number | null }).pid === 5)
        tunnel.send({ type: "failure", id, code: "NS_LIMIT", message: "too slow", details: {} });
    });
    const failing = await rpc.attach({ ...following, pid: 5 }, () => undefined);
    await expect(failing.ended).rejects.toThrow(code("NS_LIMIT"));
    const losing = await rpc.attach(following, () => undefined);
    server.cut();
    await expect(losing.ended).rejects.toThrow(code("NS_CONNECTION_LOST"));
  });
});
