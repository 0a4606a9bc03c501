import { expect, test } from "vitest";
import type { Coordinator, JobNews } from "./coordinator.ts";
import { takeStdin } from "./stdin.ts";

/** A job with room for so many bytes. */
function jobWith(room: { bytes: number }) {
  const followers = new Set<(news: JobNews) => void>();
  let asked = 0;
  const coordinator = {
    apply: () => {
      asked++;
      const taken = Math.min(room.bytes, 3);
      room.bytes -= taken;
      return taken;
    },
    follow: (_job: number, follower: (news: JobNews) => void) => {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  } as unknown as Coordinator;
  const tell = (news: JobNews): void => {
    for (const follower of [...followers]) follower(news);
  };
  return { coordinator, tell, followers, asked: () => asked };
}

const input = { job: 1, offset: 0, bytes: new Uint8Array(3), end: false };

test("input for which there is room is taken at once", async () => {
  const { coordinator, followers } = jobWith({ bytes: 2 });
  expect(await takeStdin(coordinator, input)).toBe(2);
  expect(followers.size).toBe(0);
});

test("without room the request waits until there is some, and asks no more than it must", async () => {
  const room = { bytes: 0 };
  const { coordinator, tell, followers, asked } = jobWith(room);
  const taken = takeStdin(coordinator, input);
  tell({ event: "processEnded", pid: 1 });
  expect(followers.size).toBe(1);
  room.bytes = 3;
  tell({ event: "stdin" });
  expect(await taken).toBe(3);
  expect(asked()).toBe(2);
  expect(followers.size).toBe(0);
});

test("it waits no longer than for the job's end or its time, and its end alone needs no room", async () => {
  const { coordinator, tell, followers } = jobWith({ bytes: 0 });
  const taken = takeStdin(coordinator, input);
  tell({ event: "ended", report: { kind: "exit", code: 0 } });
  expect(await taken).toBe(0);
  expect(await takeStdin(coordinator, input, 1)).toBe(0);
  expect(await takeStdin(coordinator, { ...input, bytes: new Uint8Array(), end: true })).toBe(0);
  expect(followers.size).toBe(0);
});
