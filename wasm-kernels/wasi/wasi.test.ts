// The host functions called with what no C library would pass: pointers and sizes beyond memory, bytes that are no path, descriptors
// that do not exist, and more than a process may have.
import { beforeEach, describe, expect, test } from "vitest";
import { must } from "../errors.ts";
import { Blocked, Exited, type HomeCall, READY } from "../process/hostcalls.ts";
import { ERRNO, Wasi, type WasiOptions, type WasiState } from "./index.ts";

const options: WasiOptions = {
  args: ["program", "a"],
  env: { A: "1" },
  files: new Map(),
  clock: "virtual",
  seed: "1",
  now: () => 1e12,
  cpuMs: () => 5,
  write: () => undefined,
  mayWrite: () => true,
  pipeClosed: () => undefined,
};
const ROOT = 3;
const CREATE = 1;
const ALL = (1n << 28n) - 1n;
const DIRECTORY_RIGHTS = ALL & ~(1n << 6n);
const FILE_RIGHTS = 0xe001ffn;
/** Where the tests put paths, small structures and results. */
const AT = { path: 1024, second: 6144, vector: 16, result: 64, buffer: 12288 } as const;

/** A host with a memory of one page, and short ways to call it. */
class Host {
  readonly wasi: Wasi;
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });

  constructor(more: Partial<WasiOptions> = {}, state?: WasiState) {
    this.wasi = new Wasi({ ...options, ...more }, state);
    this.wasi.attach(this.memory);
  }

  call(name: string, ...args: (number | bigint)[]): number {
    return (this.wasi.functions[name] as unknown as (...args: (number | bigint)[]) => number)(...args);
  }

  view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** Puts the text in memory; gives pointer and length. */
  text(text: string | Uint8Array, at: number = AT.path): [number, number] {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  }

  open(path: string | Uint8Array, oflags = 0, rights = FILE_RIGHTS, directory = ROOT, fdPointer: number = AT.result): number {
    return this.call("path_open", directory, 0, ...this.text(path), oflags, rights, 0n, 0, fdPointer);
  }

  opened(path: string, oflags = CREATE, rights = FILE_RIGHTS, directory = ROOT): number {
    expect(this.open(path, oflags, rights, directory)).toBe(0);
    return this.view().getUint32(AT.result, true);
  }

  vector(pointer: number, length: number, at: number = AT.vector): void {
    this.view().setUint32(at, pointer, true);
    this.view().setUint32(at + 4, length, true);
  }

  write(fd: number, text: string): number {
    this.vector(...this.text(text));
    return this.call("fd_write", fd, AT.vector, 1, AT.result);
  }

  /** What the call waits for at the home. */
  asks(name: string, ...args: (number | bigint)[]): { call: HomeCall; blocked: Blocked } {
    try {
      const functions = { ...this.wasi.functions, ...this.wasi.processFunctions };
      (functions[name] as unknown as (...args: (number | bigint)[]) => number)(...args);
    } catch (thrown) {
      if (thrown instanceof Blocked && thrown.reason.kind === "home") return { call: thrown.reason.call, blocked: thrown };
      throw thrown;
    }
    throw new Error("it does not wait");
  }
}

let host: Host;
beforeEach(() => {
  host = new Host();
});

describe("pointers", () => {
  test("outside memory are EFAULT in every function, and nothing has happened", () => {
    const file = host.opened("file");
    host.write(file, "abc");
    const before = JSON.stringify(host.wasi.state(), (_, value) => (typeof value === "bigint" ? `${value}` : value));
    const out = 65533;
    const negative = -8; // as wasm passes 0xfffffff8
    host.vector(AT.buffer, 1);
    const path = host.text("file");
    const calls: [string, ...(number | bigint)[]][] = [
      ["args_get", out, AT.buffer],
      ["args_sizes_get", AT.result, out],
      ["environ_get", AT.result, negative],
      ["environ_sizes_get", out, AT.result],
      ["clock_res_get", 0, out],
      ["clock_time_get", 0, 0n, out],
      ["random_get", 65530, 8],
      ["random_get", 16, -1],
      ["fd_fdstat_get", file, 65520],
      ["fd_filestat_get", file, 65530],
      ["fd_prestat_get", ROOT, out],
      ["fd_prestat_dir_name", ROOT, 65536, 1],
      ["fd_read", file, AT.vector, 1, out],
      ["fd_read", file, 65530, 1, AT.result],
      ["fd_read", file, negative, 1, AT.result],
      ["fd_pread", file, AT.vector, 1, 0n, out],
      ["fd_write", file, AT.vector, 1, out],
      ["fd_write", 1, AT.vector, 1, out],
      ["fd_pwrite", file, AT.vector, 1, 0n, out],
      ["fd_readdir", ROOT, AT.buffer, -1, 0n, AT.result],
      ["fd_readdir", ROOT, AT.buffer, 9, 0n, out],
      ["fd_seek", file, 1n, 0, 65530],
      ["fd_tell", file, 65530],
      ["path_open", ROOT, 0, 65530, 100, 0, 0n, 0n, 0, AT.result],
      ["path_open", ROOT, 0, ...host.text("new", AT.second), CREATE, 0n, 0n, 0, out],
      ["path_filestat_get", ROOT, 0, ...path, 65500],
      ["path_readlink", ROOT, 65530, 100, AT.buffer, 9, AT.result],
      ["path_create_directory", ROOT, negative, 100],
      ["poll_oneoff", 65530, AT.buffer, 1, AT.result],
      ["poll_oneoff", AT.buffer, 65530, 1, AT.result],
    ];
    for (const [name, ...args] of calls) expect([name, ...args, host.call(name, ...args)]).toEqual([name, ...args, ERRNO.EFAULT]);
    expect(host.asks.bind(host, "pipe", out)).toThrow("it does not wait");
    const after = host.wasi.state();
    // The clock has been looked at perhaps; nothing else is different.
    const withoutClock = { ...after, clockNs: JSON.parse(before).clockNs };
    expect(JSON.stringify(withoutClock, (_, value) => (typeof value === "bigint" ? `${value}` : value))).toBe(before);
  });

  test("in the upper half of a large memory are as good as any", () => {
    host.memory.grow(40_000);
    const high = 0x9000_0000;
    host.text("file", high);
    expect(host.call("path_open", ROOT, 0, high | 0, 4, CREATE, FILE_RIGHTS, 0n, 0, (high + 64) | 0)).toBe(0);
    const fd = host.view().getUint32(high + 64, true);
    host.vector(high, 4, high + 128);
    expect(host.call("fd_write", fd, (high + 128) | 0, 1, (high + 192) | 0)).toBe(0);
    expect(host.wasi.changedFiles().get("file")).toEqual(new TextEncoder().encode("file"));
  });
});

describe("paths", () => {
  test("that are not UTF-8, hold a NUL or are too long are refused", () => {
    expect(host.open(new Uint8Array([0x66, 0xff]), CREATE)).toBe(ERRNO.EILSEQ);
    expect(host.open("file\0", CREATE)).toBe(ERRNO.EINVAL);
    expect(host.open("x/".repeat(2049))).toBe(ERRNO.ENAMETOOLONG);
    expect(host.open("é".repeat(128), CREATE)).toBe(ERRNO.ENAMETOOLONG);
    expect(host.call("path_open", ROOT, 0, AT.path, -1, 0, 0n, 0n, 0, AT.result)).toBe(ERRNO.ENAMETOOLONG);
    expect(host.open("\u{feff}name", CREATE)).toBe(0);
    expect([...host.wasi.changedFiles().keys()]).toEqual(["\u{feff}name"]);
  });

  test("do not lead out, whatever they are made of", () => {
    host.call("path_create_directory", ROOT, ...host.text("d"));
    const d = host.opened("d", 2, 1n << 13n);
    const escapes = ["..", "../d", "./..", "x/../../d", "/", "/d", "//d", "d/../../../../etc/passwd"];
    for (const path of escapes) expect([path, host.open(path, 0, 0n, d)]).not.toContain(0);
    for (const target of ["../..", "..", "a/../../b"]) {
      const [pointer, length] = host.text(target, AT.second);
      expect(host.call("path_symlink", pointer, length, ROOT, ...host.text("link"))).toBe(0);
      expect(host.call("path_open", ROOT, 1, ...host.text("link/x"), CREATE, 0n, 0n, 0, AT.result)).not.toBe(0);
      expect(host.call("path_unlink_file", ROOT, ...host.text("link"))).toBe(0);
    }
    expect(host.call("path_symlink", ...host.text("/etc", AT.second), ROOT, ...host.text("link"))).toBe(ERRNO.ENOTCAPABLE);
  });

  test("of links that lead to links come to an end", () => {
    const link = (target: string, name: string): number =>
      host.call("path_symlink", ...host.text(target, AT.second), ROOT, ...host.text(name));
    for (let k = 0; k < 50; k++) expect(link(`link${k + 1}/../link${k + 1}`, `link${k}`)).toBe(0);
    expect(host.call("path_open", ROOT, 1, ...host.text("link0"), 0, 0n, 0n, 0, AT.result)).toBe(ERRNO.ELOOP);
  });

  test("cannot be made longer than the limit by going down step by step, nor by moving", () => {
    const enter = (directory: number, path: string): number => {
      const handsOn = [DIRECTORY_RIGHTS, ALL, 0, AT.result] as const;
      expect(host.call("path_open", directory, 0, ...host.text(path), 2, ...handsOn)).toBe(0);
      return host.view().getUint32(AT.result, true);
    };
    let directory = enter(ROOT, ".");
    let depth = 0;
    const name = "n".repeat(250);
    let error = host.call("path_create_directory", directory, ...host.text(name));
    for (; error === 0; depth++) {
      const next = enter(directory, name);
      host.call("fd_close", directory);
      directory = next;
      error = host.call("path_create_directory", directory, ...host.text(name));
    }
    expect(error).toBe(ERRNO.ENAMETOOLONG);
    expect(depth).toBe(16);
    const top = host.text("top", AT.second);
    expect(host.call("path_rename", ROOT, ...host.text(name), ROOT, ...top)).toBe(0);
    for (const path of [name, `${name}/${name}`]) expect(host.call("path_create_directory", ROOT, ...host.text(path))).toBe(0);
    expect(host.call("path_rename", ROOT, ...top, ROOT, ...host.text(`${name}/${name}/top`))).toBe(ERRNO.ENAMETOOLONG);
    expect(host.call("path_rename", ROOT, ...top, ROOT, ...host.text(`${name}/top`))).toBe(0);
  });
});

describe("sizes and offsets", () => {
  test("beyond what a file may have are errors, and cost nothing", () => {
    const fd = host.opened("file");
    const huge = 2n ** 62n;
    host.vector(AT.buffer, 1);
    expect(host.call("fd_filestat_set_size", fd, huge)).toBe(ERRNO.EFBIG);
    expect(host.call("fd_filestat_set_size", fd, -1n)).toBe(ERRNO.EFBIG);
    expect(host.call("fd_allocate", fd, huge, huge)).toBe(ERRNO.EFBIG);
    expect(host.call("fd_pwrite", fd, AT.vector, 1, huge, AT.result)).toBe(ERRNO.EFBIG);
    expect(host.call("fd_pread", fd, AT.vector, 1, -1n, AT.result)).toBe(0);
    expect(host.view().getUint32(AT.result, true)).toBe(0);
    expect(host.call("fd_seek", fd, huge, 0, AT.result)).toBe(ERRNO.EOVERFLOW);
    expect(host.call("fd_seek", fd, 2n ** 40n, 0, AT.result)).toBe(0);
    expect(host.call("fd_write", fd, AT.vector, 1, AT.result)).toBe(ERRNO.EFBIG);
    expect(host.wasi.changedFiles().get("file")).toEqual(new Uint8Array(0));
  });

  test("of many vectors over the same bytes are bounded", () => {
    const fd = host.opened("file");
    host.memory.grow(99);
    for (let k = 0; k < 1024; k++) host.vector(0, 6_000_000, AT.path + 8 * k);
    for (const to of [fd, 1]) expect(host.call("fd_write", to, AT.path, 1024, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("fd_write", fd, AT.path, 1025, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("fd_write", fd, AT.path, -1, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("poll_oneoff", 0, 0, -1, AT.result)).toBe(ERRNO.EINVAL);
  });

  test("what is removed may be used again: only what exists at one time is limited", () => {
    for (let round = 0; round < 12; round++) {
      const fd = host.opened("file");
      expect(host.call("fd_filestat_set_size", fd, 200n * 2n ** 20n)).toBe(0);
      expect(host.call("path_unlink_file", ROOT, ...host.text("file"))).toBe(0);
      expect(host.call("fd_close", fd)).toBe(0);
    }
  });

  test("what files take counts as the process's, until they are gone", () => {
    const before = host.wasi.fileBytes;
    const file = host.opened("file");
    expect(host.call("fd_filestat_set_size", file, 50_000n)).toBe(0);
    expect(host.wasi.fileBytes - before).toBeGreaterThanOrEqual(50_000);
    expect(new Host({}, host.wasi.state()).wasi.fileBytes).toBeGreaterThanOrEqual(50_000);
    expect(host.call("path_unlink_file", ROOT, ...host.text("file"))).toBe(0);
    expect(host.call("fd_close", file)).toBe(0);
    expect(host.wasi.fileBytes).toBe(before);
  });

  test("files and directories are limited in number by what they take", () => {
    let made = 0;
    while (host.call("path_create_directory", ROOT, ...host.text(`d${made}`)) === 0) made++;
    expect(made).toBeGreaterThan(200_000);
    expect(made).toBeLessThan(2 ** 18 + 1);
    expect(host.call("path_remove_directory", ROOT, ...host.text("d7"))).toBe(0);
    expect(host.open("file", CREATE)).toBe(0);
    expect(host.open("other", CREATE)).toBe(ERRNO.ENOSPC);
  });
});

describe("descriptors", () => {
  test("that are not open are EBADF", () => {
    for (const fd of [-1, 4, 1024, 0x7fffffff]) {
      const one: string[] = ["fd_close", "fd_sync", "fd_datasync", "sock_shutdown", "sock_accept"];
      for (const name of one) expect([name, fd, host.call(name, fd, 0)]).toEqual([name, fd, ERRNO.EBADF]);
      expect(host.call("fd_renumber", 0, fd)).toBe(ERRNO.EBADF);
      expect(host.open("x", CREATE, 0n, fd)).toBe(ERRNO.EBADF);
    }
    expect(host.call("sock_shutdown", 0, 0)).toBe(ERRNO.ENOTSOCK);
  });

  test("are limited in number, and one too many makes no file", () => {
    while (host.open("file", CREATE) === 0);
    expect(host.open("file", CREATE)).toBe(ERRNO.EMFILE);
    expect(host.open("other", CREATE)).toBe(ERRNO.EMFILE);
    expect([...host.wasi.changedFiles().keys()]).toEqual(["file"]);
  });

  test("flags that are not defined are EINVAL", () => {
    const fd = host.opened("file");
    expect(host.call("fd_fdstat_set_flags", fd, 32)).toBe(ERRNO.EINVAL);
    expect(host.call("fd_filestat_set_times", fd, 0n, 0n, 16)).toBe(ERRNO.EINVAL);
    expect(host.call("path_open", ROOT, 2, ...host.text("file"), 0, 0n, 0n, 0, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("path_open", ROOT, 0, ...host.text("file"), 16, 0n, 0n, 0, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("path_open", ROOT, 0, ...host.text("file"), 0, 0n, 0n, 32, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("path_open", ROOT, 0, ...host.text("d"), 3, 0n, 0n, 0, AT.result)).toBe(ERRNO.EINVAL);
    expect(host.call("fd_advise", fd, 0n, 0n, 6)).toBe(ERRNO.EINVAL);
  });

  test("are other directories than the root when told so, or none at all", () => {
    const files = new Map([["in/file", new Uint8Array([7])]]);
    const two = new Host({ files, preopens: { work: "in", "/": "" } });
    expect(two.open("file", 0)).toBe(0);
    expect(two.open("in/file", 0, 0n, 4)).toBe(0);
    expect(two.call("fd_prestat_dir_name", 3, AT.buffer, 4)).toBe(0);
    expect(new TextDecoder().decode(new Uint8Array(two.memory.buffer, AT.buffer, 4))).toBe("work");
    expect(new Host({ preopens: {} }).call("sock_shutdown", ROOT, 0)).toBe(ERRNO.EBADF);
    expect(() => new Host({ preopens: { x: "../y" } })).toThrow(expect.objectContaining({ code: "NS_BAD_FILE" }));
    expect(() => new Host({ files, preopens: { x: "in/file" } })).toThrow(expect.objectContaining({ code: "NS_BAD_FILE" }));
    const clash = new Map([
      ["a", new Uint8Array(1)],
      ["a/b", new Uint8Array(1)],
    ]);
    expect(() => new Host({ files: clash })).toThrow(expect.objectContaining({ code: "NS_BAD_FILE" }));
  });
});

describe("devices", () => {
  const make = (path: string): number => host.call("path_create_directory", ROOT, ...host.text(path));
  const read = (of: Host, fd: number, length: number): Uint8Array => {
    of.vector(AT.buffer, length);
    expect(of.call("fd_read", fd, AT.vector, 1, AT.result)).toBe(0);
    return new Uint8Array(of.memory.buffer.slice(AT.buffer, AT.buffer + of.view().getUint32(AT.result, true)));
  };

  test("give the same bytes and are the same after an image, which holds nothing of them but that they are open", () => {
    const [random, directory] = [host.opened("dev/urandom", 0), host.opened("dev", 2, 1n << 13n)];
    read(host, random, 5);
    const state = structuredClone(host.wasi.state());
    expect(state.files.nodes.map(({ inode }) => inode)).toEqual([1]);
    const again = new Host({}, state);
    expect(again.wasi.state()).toEqual(state);
    expect(read(again, random, 50)).toEqual(read(host, random, 50));
    for (const each of [host, again]) expect(each.open("../dev", 0, 0n, directory)).toBe(ERRNO.ENOTCAPABLE);
    const child = new Host({ seed: "2" }, state);
    expect(read(child, random, 50)).not.toEqual(read(new Host({}, state), random, 50));
  });

  test("random comes 16 MiB at a time at most, as nobody is heard meanwhile", () => {
    const most = 2 ** 24;
    host.memory.grow(300);
    const random = host.opened("dev/urandom", 0);
    host.vector(AT.buffer, most + 1);
    expect(host.call("fd_read", random, AT.vector, 1, AT.result)).toBe(0);
    expect(host.view().getUint32(AT.result, true)).toBe(most);
    expect(host.call("random_get", AT.buffer, most)).toBe(0);
    expect(host.call("random_get", AT.buffer, most + 1)).toBe(ERRNO.EINVAL);
  });

  test("are hidden by the program's or the job's own dev", () => {
    expect(make("dev")).toBe(0);
    expect(host.open("dev/null")).toBe(ERRNO.ENOENT);
    expect(host.write(host.opened("dev/null"), "kept")).toBe(0);
    expect([...host.wasi.changedFiles().keys()]).toEqual(["dev/null"]);
    host = new Host({ files: new Map([["dev/zero", new Uint8Array([7])]]) });
    expect(read(host, host.opened("dev/zero", 0), 9)).toEqual(new Uint8Array([7]));
    expect(host.open("dev/null")).toBe(ERRNO.ENOENT);
    host = new Host();
    host.opened("dev");
    expect(host.open("dev/null")).toBe(ERRNO.ENOTDIR);
    expect([...host.wasi.changedFiles().keys()]).toEqual(["dev"]);
  });

  test("are in the root only, and not seen by who has another directory", () => {
    make("d");
    expect(host.open("d/dev/null")).toBe(ERRNO.ENOENT);
    host = new Host({ preopens: { "/": "in" } });
    expect(host.open("dev/null")).toBe(ERRNO.ENOENT);
  });

  test("an image that has open what is none is refused, one that has /dev among its files too", () => {
    host.opened("dev/full", 0);
    const state = host.wasi.state();
    const full = must(state.open.at(-1), "what was opened last") as WasiState["open"][number] & { inode: number };
    const refused = (more: object, names = state.files.names): void => {
      const hostile = { ...state, open: [{ ...full, ...more }], files: { ...state.files, names } } as WasiState;
      expect(() => new Host({}, hostile)).toThrow(expect.objectContaining({ code: "NS_BAD_IMAGE" }));
    };
    refused({ inode: 2 ** 52 + 99 });
    refused({ inode: "/dev/full" });
    refused({ inode: 1 });
    refused({ kind: "file", position: 0 });
    refused({ kind: "directory", preopen: "/" });
    refused({}, [[1, "full", full.inode, 3]]);
    expect(new Host({}, state).write(4, "more")).toBe(ERRNO.ENOSPC);
  });

  test("cannot be filled up, nor be asked for more than there is time for", () => {
    host.memory.grow(2000);
    const zero = host.opened("dev/zero", 0);
    host.vector(AT.buffer, 100 * 2 ** 20);
    expect(host.call("fd_read", zero, AT.vector, 1, AT.result)).toBe(0);
    expect(host.view().getUint32(AT.result, true)).toBe(64 * 2 ** 20);
    const before = host.wasi.state().files;
    for (let k = 0; k < 3000; k++) {
      expect(host.write(host.opened("dev/null"), "nothing")).toBe(0);
      expect(host.call("fd_close", zero + 1)).toBe(0);
    }
    expect(host.wasi.state().files).toEqual(before);
  });
});

test("/tmp is there for who looks for it, and nothing of it for who does not", () => {
  expect(host.open("absent")).toBe(ERRNO.ENOENT);
  expect(host.wasi.state().files.names).toEqual([]);
  expect(host.open("tmp/absent")).toBe(ERRNO.ENOENT);
  expect(host.wasi.state().files.names.map(([, name]) => name)).toEqual(["tmp"]);
  expect(host.wasi.changedFiles().size).toBe(0);
  host = new Host();
  expect(host.call("path_create_directory", ROOT, ...host.text("d"))).toBe(0);
  expect(host.open("d/tmp/x", CREATE)).toBe(ERRNO.ENOENT);
  expect(host.call("path_create_directory", ROOT, ...host.text("tmp"))).toBe(0);
  expect(host.call("path_create_directory", ROOT, ...host.text("tmp"))).toBe(ERRNO.EEXIST);
  host = new Host();
  host.opened("tmp");
  expect(host.open("tmp/x", CREATE)).toBe(ERRNO.ENOTDIR);
});

describe("pipes", () => {
  const subscribe = (at: number, type: number, value: number | bigint): void => {
    const view = host.view();
    new Uint8Array(host.memory.buffer, at, 48).fill(0);
    view.setUint8(at + 8, type);
    view.setBigUint64(at, BigInt(at), true);
    if (type === 0) {
      view.setUint32(at + 16, 1, true);
      view.setBigUint64(at + 24, BigInt(value), true);
    } else view.setUint32(at + 16, Number(value), true);
  };
  const bits = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

  test("a poll without time waits at home and says what the home says", () => {
    subscribe(AT.path, 1, 0);
    const { call, blocked } = host.asks("poll_oneoff", AT.path, AT.buffer, 1, AT.result);
    expect(call).toEqual({ call: "poll", ends: [{ object: 0, end: "read" }], noHang: false });
    expect(blocked.finish({ value: 1, bytes: bits(READY.ready + READY.hangup + 17) })).toBe(0);
    expect(host.view().getUint32(AT.result, true)).toBe(1);
    expect(host.view().getBigUint64(AT.buffer + 16, true)).toBe(17n);
    expect(host.view().getUint16(AT.buffer + 24, true)).toBe(1);
  });

  test("a poll with a timeout asks without waiting, sleeps, asks again, and ends in time", () => {
    subscribe(AT.path, 1, 0);
    subscribe(AT.path + 48, 0, 100_000_000n);
    let { call, blocked } = host.asks("poll_oneoff", AT.path, AT.buffer, 2, AT.result);
    let slept = 0;
    let asked = 0;
    for (;;) {
      expect(call).toMatchObject({ call: "poll", noHang: true });
      asked++;
      try {
        expect(blocked.finish({ value: 0, bytes: bits(0) })).toBe(0);
        break;
      } catch (thrown) {
        const sleep = thrown as Blocked;
        slept += sleep.reason.kind === "sleep" ? sleep.reason.ms : Number.NaN;
        try {
          sleep.finish({ value: 0 });
        } catch (again) {
          blocked = again as Blocked;
          call = (blocked.reason as { call: HomeCall }).call;
        }
      }
    }
    expect(slept).toBe(100);
    expect(asked).toBeGreaterThan(3);
    expect(host.view().getUint32(AT.result, true)).toBe(1);
    expect(host.view().getUint8(AT.buffer + 10)).toBe(0); // the clock
  });

  test("a descriptor that is not to wait says so to the home", () => {
    expect(host.call("fd_fdstat_set_flags", 0, 4)).toBe(0);
    host.vector(AT.buffer, 9);
    const { call, blocked } = host.asks("fd_read", 0, AT.vector, 1, AT.result);
    expect(call).toEqual({ call: "read", object: 0, maxBytes: 9, noHang: true });
    expect(blocked.finish({ value: -ERRNO.EAGAIN })).toBe(ERRNO.EAGAIN);
  });

  test("options of wait that are not defined are EINVAL", () => {
    const wait = host.wasi.processFunctions.wait as unknown as (...args: number[]) => number;
    expect(wait(-1, 4, 0)).toBe(-ERRNO.EINVAL);
    expect(host.asks("wait", -1, 11, 0).call).toEqual({
      call: "wait",
      target: -1,
      noHang: true,
      untraced: true,
      continued: true,
    });
  });
});

describe("time", () => {
  test("by the host's clock never goes back where it must not, and CPU time is the process's own", () => {
    let now = 1000;
    const told = new Host({ clock: "host", now: () => now });
    const time = (id: number): bigint => {
      expect(told.call("clock_time_get", id, 0n, AT.result)).toBe(0);
      return told.view().getBigUint64(AT.result, true);
    };
    told.wasi.state();
    now = 1_800_000_000_000;
    const first = time(1);
    now -= 5000;
    expect(time(1)).toBe(first);
    expect(time(0)).toBe(BigInt(now) * 1_000_000n);
    expect(time(2)).toBe(5_000_000n);
    const moved = new Host({ clock: "host", now: () => now }, structuredClone(told.wasi.state()));
    expect(moved.call("clock_time_get", 1, 0n, AT.result)).toBe(0);
    expect(moved.view().getBigUint64(AT.result, true)).toBe(first);
  });
});

describe("images", () => {
  test("hold the whole tree: a restored host has the same state and goes on the same way", () => {
    const files = new Map([
      ["in/a", new Uint8Array([1, 2, 3])],
      ["in/b", new Uint8Array([4])],
    ]);
    host = new Host({ files });
    host.opened("in/b", 8, 0n); // an input that is cut off
    const fd = host.opened("new");
    host.write(fd, "text");
    host.call("path_link", ROOT, 0, ...host.text("in/a"), ROOT, ...host.text("same", AT.second));
    host.call("path_unlink_file", ROOT, ...host.text("new"));
    host.call("path_create_directory", ROOT, ...host.text("gone"));
    host.opened("gone", 2, 1n << 14n);
    host.call("path_remove_directory", ROOT, ...host.text("gone"));
    const state = structuredClone(host.wasi.state());
    const again = new Host({ files }, state);
    expect(again.wasi.state()).toEqual(state);
    expect(again.wasi.changedFiles()).toEqual(host.wasi.changedFiles());
    expect([...again.wasi.changedFiles()]).toEqual([
      ["same", new Uint8Array([1, 2, 3])],
      ["in/b", new Uint8Array(0)],
    ]);
    for (const each of [host, again]) expect(each.write(fd, "more")).toBe(0);
    const { clockNs: _, ...after } = again.wasi.state();
    expect(host.wasi.state()).toMatchObject(after);
  });

  test("whose files are no tree are refused", () => {
    host.call("path_create_directory", ROOT, ...host.text("d"));
    const state = host.wasi.state();
    const [root, name, d, serial] = state.files.names[0];
    const refused = (files: Partial<WasiState["files"]>): void =>
      expect(() => new Host({}, { ...state, files: { ...state.files, ...files } })).toThrow(
        expect.objectContaining({ code: "NS_BAD_IMAGE" }),
      );
    refused({ names: [[d, "loop", d, serial]] });
    refused({ names: [[root, name, 99, serial]] });
    refused({
      names: [
        [root, name, d, serial],
        [d, "up", root, serial],
      ],
    });
    refused({ nodes: state.files.nodes.concat({ inode: 9, times: [0n, 0n, 0n], input: "missing" }) });
    refused({ nodes: [] });
  });
});

test("exit leaves the program with the low byte of its code", () => {
  expect(() => host.call("proc_exit", 256 + 33)).toThrow(Exited);
});

test("ten thousand small reads and seeks, and a directory of thousands of files, take no time to speak of", () => {
  const files = new Map(Array.from({ length: 5000 }, (_, k) => [`in/${k}`, new Uint8Array(100)]));
  host = new Host({ files });
  const began = performance.now();
  for (let k = 0; k < 5000; k++) {
    const fd = host.opened(`in/${k}`, 0);
    host.vector(AT.buffer, 10);
    for (let turn = 0; turn < 4; turn++) {
      host.call("fd_read", fd, AT.vector, 1, AT.result);
      host.call("fd_seek", fd, 20n, 1, AT.result);
    }
    host.call("fd_close", fd);
  }
  expect(performance.now() - began).toBeLessThan(2000);
});
