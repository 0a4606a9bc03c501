// Speaks with agents of this computer through their local control: one JSON line in, one back.
import { connect } from "node:net";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Work } from "../protocol/index.ts";

const ANSWER_TIMEOUT_MS = 5_000;

export interface AgentAnswer {
  agent: string;
  ok: boolean;
  status?: {
    connected: boolean;
    pending: boolean;
    words: string;
    /** Why it may not compute. */
    reasons: readonly unknown[];
    running: number;
    runnable: number;
    blocked: number;
    policyProblem: string | null;
    /** `work`: whose it is, if the coordinator tells. */
    processes: { pid: number; command: string; state: string; work?: Work | null }[];
  };
  code?: string;
  message?: string;
}

/** @param path of the control socket; a refusal or no answer is in what it resolves with */
export function askAgent(path: string, order: unknown): Promise<Omit<AgentAnswer, "agent">> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(path);
    const fail = (message: string): void => {
      socket.destroy();
      resolve({ ok: false, code: "NS_UNREACHABLE", message });
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail("it does not answer"));
    socket.setEncoding("utf8");
    socket.once("error", (error) => fail(asNightshiftError(error).message));
    socket.once("connect", () => socket.write(`${JSON.stringify(order)}\n`));
    socket.on("data", (part: string) => {
      text += part;
      if (!text.includes("\n")) return;
      socket.destroy();
      resolve(JSON.parse(text) as AgentAnswer);
    });
  });
}
