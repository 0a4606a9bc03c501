// The worker thread's side of the compiler: runs clang, wasm-ld and ar (LLVM compiled to WebAssembly) over a virtual file tree.
// Owns nothing on disk and decides nothing: it is told the commands, and returns one file and what the tools wrote.
import { parentPort } from "node:worker_threads";
import type { Tree } from "@yowasp/clang";
import { weakened } from "./commons.ts";
import { loadTools } from "./growing-files.ts";

const { Exit, commands: tools } = await loadTools();

/** What to run: every command in turn over the same tree, until one fails. */
export interface ToolRequest {
  readonly id: number;
  /** The tool (`clang` is the driver, which runs others in turn; `weaken` is of commons.ts, for one file) and its arguments. */
  readonly commands: readonly (readonly [tool: "clang" | "ar" | "weaken", ...args: string[]])[];
  /** Absolute virtual path -> contents. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /**
   * Absolute virtual path of the file that is wanted back; "-": what the commands write to standard output, which is no part of the text then.
   */
  readonly wanted: string;
}

export interface ToolReply {
  readonly id: number;
  /** The wanted file; absent when a command failed or wrote no such file. */
  readonly output?: Uint8Array;
  /** Everything the tools wrote, in order. */
  readonly text: string;
  /** The exit code of the command that failed; 0 when none did; -1 when the tool itself crashed. */
  readonly exitCode: number;
}

function treeOf(files: ReadonlyMap<string, Uint8Array>): Tree {
  const root: Tree = {};
  for (const [path, contents] of files) {
    const parts = path.split("/").filter((part) => part !== "");
    const name = parts.pop();
    let folder = root;
    for (const part of parts) {
      const next = Object.hasOwn(folder, part) ? folder[part] : undefined;
      if (next === undefined || typeof next === "string" || next instanceof Uint8Array) folder = folder[part] = {};
      else folder = next;
    }
    if (name !== undefined) folder[name] = contents;
  }
  return root;
}

/** Rewrites a file of LLVM's text in place. */
function weaken(tree: Tree, path: string): void {
  const file = fileIn(tree, path);
  if (!file) throw new Error(`there is no ${path}`);
  // Bytes of the program's own are escaped in that text; names of files may be of any encoding.
  const text = weakened(Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("latin1"));
  file.set(Buffer.from(text, "latin1"));
}

function fileIn(tree: Tree, path: string): Uint8Array | undefined {
  let node: Tree | string | Uint8Array | undefined = tree;
  for (const part of path.split("/").filter((name) => name !== "")) {
    if (node === undefined || typeof node === "string" || node instanceof Uint8Array) return undefined;
    node = node[part];
  }
  return node instanceof Uint8Array ? node : undefined;
}

const silent = { fetchProgress: () => undefined };

async function run(request: ToolRequest): Promise<ToolReply> {
  const decoder = new TextDecoder();
  let text = "";
  const write = (bytes: Uint8Array | null) => {
    if (bytes !== null) text += decoder.decode(bytes, { stream: true });
  };
  const printed: Uint8Array[] = [];
  const print = (bytes: Uint8Array | null) => {
    if (bytes !== null) printed.push(bytes.slice());
  };
  let tree = treeOf(request.files);
  try {
    await tools.clang(null as unknown as string[], {}, silent); // only loads the compiler, which would otherwise print its progress
    for (const [tool, ...args] of request.commands) {
      if (tool === "weaken") {
        weaken(tree, args[0] ?? "");
        continue;
      }
      const options = { stdout: request.wanted === "-" ? print : write, stderr: write, decodeASCII: false, ...silent };
      tree = (await tools[tool](args, tree, options)) ?? tree;
    }
  } catch (thrown) {
    if (thrown instanceof Exit) return { id: request.id, text, exitCode: thrown.code };
    return { id: request.id, text: `${text}the compiler crashed: ${String(thrown)}\n`, exitCode: -1 };
  }
  // A copy, as the file may lie in more memory than it fills, all of which a message would take along.
  const output = request.wanted === "-" ? new Uint8Array(Buffer.concat(printed)) : fileIn(tree, request.wanted)?.slice();
  return { id: request.id, text, exitCode: 0, ...(output === undefined ? {} : { output }) };
}

parentPort?.on("message", (request: ToolRequest) => {
  void run(request).then((reply) => parentPort?.postMessage(reply));
});
