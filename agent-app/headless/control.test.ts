import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serveControl } from "./control.ts";
import type { Owner } from "./owner.ts";

const owner = (words: string): Owner => ({ status: () => ({ words }) }) as unknown as Owner;
const folder = () => mkdtempSync(join(tmpdir(), "ns-control-"));

const asked = (directory: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { path } = JSON.parse(readFileSync(join(directory, "control.json"), "utf8")) as { path: string };
    const socket = connect(path, () => socket.write('{"command":"status"}\n'));
    socket.once("error", reject).once("data", (data) => {
      socket.destroy();
      resolve((JSON.parse(String(data)) as { status: { words: string } }).status.words);
    });
  });

test("a second agent in the same folder is refused, and the first can still be asked", async () => {
  const directory = folder();
  const end = await serveControl(owner("first"), directory);
  await expect(serveControl(owner("second"), directory)).rejects.toMatchObject({ code: "NS_ALREADY_RUNNING" });
  expect(await asked(directory)).toBe("first");
  end();
  (await serveControl(owner("second"), directory))();
});

test("one that is just ending is waited for", async () => {
  const directory = folder();
  const end = await serveControl(owner("first"), directory);
  setTimeout(end, 200);
  const endSecond = await serveControl(owner("second"), directory);
  expect(await asked(directory)).toBe("second");
  endSecond();
});

test("what was left by one that was killed, or half written when the power went, keeps nobody out", async () => {
  for (const left of ['{"path":"/nowhere/control.sock","pid":1}', '{"pa', "", "null"]) {
    const directory = folder();
    writeFileSync(join(directory, "control.json"), left);
    const end = await serveControl(owner("next"), directory);
    expect(await asked(directory)).toBe("next");
    end();
  }
});
