// Random WebAssembly programs, all valid and all ending: every kind of construct around calls that stop, with operands on the stack at
// every depth. The same seed gives the same program for ever, so a seed is all that a failure needs to be repeated.
//
// Every loop and every call takes from one store of fuel, and leaves when that is used up, so programs end. Floating-point values come
// back as integers only by saturating conversions, as the bits of a NaN may differ from engine to engine.
import { Writer } from "../binary.ts";

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;
type Type = number;
const TYPES: readonly Type[] = [I32, I64, F32, F64, V128];
const VOID = 0x40;
const FUEL = 400;
/** Globals: the fuel, then two of each type. */
const FUEL_GLOBAL = 0;
const globalOf = (type: Type, which: number): number => 1 + 2 * TYPES.indexOf(type) + which;
/** Imports, then helpers, then generated functions. */
const SCHED_YIELD = 0;
const FD_WRITE = 1;
const YIELD = 2;
const SAY = 3;
const FIRST = 4;
const MOST_DEPTH = 5;
/** Of a loop that counts itself: some make more than such loops may without a poll. */
const MOST_TURNS = 6000;

interface Signature {
  params: Type[];
  results: Type[];
}

/** Mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A command that prints what it comes upon. */
export function randomProgram(seed: number): Uint8Array<ArrayBuffer> {
  return new Program(randomFrom(seed)).build();
}

class Program {
  readonly random: () => number;
  readonly types: Signature[] = [];
  /** Of the generated functions. */
  readonly functions: Signature[] = [];
  /** What the values of exceptions are, by tag. */
  readonly tags: Type[][];

  constructor(random: () => number) {
    this.random = random;
    this.tags = [[I32], [I64, F64], []];
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }
  chance(p: number): boolean {
    return this.random() < p;
  }
  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  typeIndex(signature: Signature): number {
    const same = this.types.findIndex(
      ({ params, results }) => `${params}` === `${signature.params}` && `${results}` === `${signature.results}`,
    );
    return same >= 0 ? same : this.types.push(signature) - 1;
  }

  build(): Uint8Array<ArrayBuffer> {
    this.typeIndex({ params: [], results: [I32] });
    this.typeIndex({ params: [I32, I32, I32, I32], results: [I32] });
    const count = 2 + this.below(4);
    for (let f = 0; f < count; f++)
      this.functions.push({
        params: Array.from({ length: this.below(4) }, () => this.pick(TYPES)),
        results: Array.from({ length: this.pick([0, 1, 1, 2]) }, () => this.pick(TYPES)),
      });
    const bodies = [
      yieldBody(),
      sayBody(),
      ...this.functions.map((signature) => new Code(this, signature).body()),
      new Code(this, { params: [], results: [] }).start(),
    ];
    const signatures = [
      { params: [], results: [] },
      { params: [I32], results: [] },
      ...this.functions,
      { params: [], results: [] },
    ];
    const functionTypes = signatures.map((signature) => this.typeIndex(signature));
    const tagTypes = this.tags.map((params) => this.typeIndex({ params, results: [] }));
    const start = FIRST + this.functions.length;

    const out = new Writer(4096).bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, entries: readonly Writer[]): void => {
      const content = new Writer().u32(entries.length);
      for (const entry of entries) content.bytes(entry.view());
      out.byte(id).sized(content);
    };
    const importOf = (name: string, type: number): Writer =>
      new Writer().name("wasi_snapshot_preview1").name(name).byte(0).u32(type);
    section(
      1,
      this.types.map(({ params, results }) =>
        new Writer().byte(0x60).u32(params.length).bytes(params).u32(results.length).bytes(results),
      ),
    );
    section(2, [importOf("sched_yield", 0), importOf("fd_write", 1)]);
    section(
      3,
      functionTypes.map((type) => new Writer().u32(type)),
    );
    section(4, [new Writer().byte(0x70).byte(0).u32(this.functions.length)]);
    section(5, [new Writer().byte(0).u32(1)]);
    section(
      13,
      tagTypes.map((type) => new Writer().byte(0).u32(type)),
    );
    section(6, [
      new Writer().byte(I32).byte(1).byte(0x41).s32(FUEL).byte(0x0b),
      ...TYPES.flatMap((type) => [0, 1].map(() => constant(new Writer().byte(type).byte(1), type, this).byte(0x0b))),
    ]);
    section(7, [new Writer().name("memory").byte(2).u32(0), new Writer().name("_start").byte(0).u32(start)]);
    const elements = new Writer().u32(0).byte(0x41).s32(0).byte(0x0b).u32(this.functions.length);
    for (let f = 0; f < this.functions.length; f++) elements.u32(FIRST + f);
    section(9, [elements]);
    section(
      10,
      bodies.map((body) => new Writer().sized(body)),
    );
    return out.finish();
  }
}

function constant(w: Writer, type: Type, program: Program): Writer {
  const small = (): number => program.pick([0, 1, -1, 2, 3, 7, program.below(100), program.below(0x7fffffff)]);
  const float = (): number => program.pick([0, -0, 1, 1.5, -2.25, 1e9, 1e-9, program.random() * 1000]);
  if (type === I32) return w.byte(0x41).s32(small());
  if (type === I64) return w.byte(0x42).s32(small());
  if (type === F32) return w.byte(0x43).bytes(new Uint8Array(new Float32Array([float()]).buffer));
  if (type === F64) return w.byte(0x44).bytes(new Uint8Array(new Float64Array([float()]).buffer));
  return w
    .byte(0xfd)
    .u32(12)
    .bytes(new Uint8Array(new Int32Array([small(), small(), small(), small()]).buffer));
}

/** () -> (): stops. */
const yieldBody = (): Writer => new Writer().u32(0).byte(0x10).u32(SCHED_YIELD).byte(0x1a).byte(0x0b);

/** (i32) -> (): prints it in 8 letters. */
function sayBody(): Writer {
  const w = new Writer().u32(1).u32(1).byte(I32);
  const set = (local: number): Writer => w.byte(0x21).u32(local);
  const get = (local: number): Writer => w.byte(0x20).u32(local);
  const i32 = (value: number): Writer => w.byte(0x41).s32(value);
  i32(8);
  set(1);
  w.byte(0x03).byte(VOID);
  get(1);
  i32(1).byte(0x6b);
  set(1);
  i32(65024);
  get(1).byte(0x6a);
  i32(65);
  get(0);
  i32(15).byte(0x71).byte(0x6a).byte(0x3a).u32(0).u32(0);
  get(0);
  i32(4).byte(0x76);
  set(0);
  get(1).byte(0x0d).u32(0).byte(0x0b);
  i32(65032);
  i32(10).byte(0x3a).u32(0).u32(0);
  i32(65000);
  i32(65024).byte(0x36).u32(2).u32(0);
  i32(65004);
  i32(9).byte(0x36).u32(2).u32(0);
  i32(1);
  i32(65000);
  i32(1);
  i32(65008).byte(0x10).u32(FD_WRITE).byte(0x1a);
  return w.byte(0x0b);
}

/** Operators that give a type, by the types they take. Those that may trap are among them. */
const OPERATORS: Record<Type, [Type[], number[]][]> = {
  [I32]: [
    [
      [I32, I32],
      [0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x76, 0x46, 0x48, 0x4f],
    ],
    [
      [I32, I32],
      [0x6d, 0x70],
    ],
    [[I32], [0x45, 0x67]],
    [[I64], [0xa7, 0x50]],
    [
      [I64, I64],
      [0x51, 0x53],
    ],
    [
      [F64, F64],
      [0x61, 0x63],
    ],
  ],
  [I64]: [
    [
      [I64, I64],
      [0x7c, 0x7d, 0x7e, 0x83, 0x85, 0x86],
    ],
    [[I32], [0xac, 0xad]],
  ],
  [F32]: [
    [
      [F32, F32],
      [0x92, 0x93, 0x94, 0x96],
    ],
    [[I32], [0xb2]],
    [[F64], [0xb6]],
  ],
  [F64]: [
    [
      [F64, F64],
      [0xa0, 0xa1, 0xa2, 0xa4],
    ],
    [[I64], [0xb9]],
    [[F32], [0xbb]],
  ],
  [V128]: [],
};

interface Label {
  /** Types a branch to it takes. */
  types: Type[];
  /** A branch to it goes backwards. */
  loop: boolean;
  /** The label of a try while in one of its handlers. */
  handler: boolean;
}

class Code {
  private readonly program: Program;
  private readonly signature: Signature;
  private readonly w = new Writer(2048);
  private readonly locals: Type[];
  private readonly labels: Label[];
  private size = 0;

  constructor(program: Program, signature: Signature) {
    this.program = program;
    this.signature = signature;
    this.locals = [...signature.params, ...TYPES, ...Array.from({ length: 3 }, () => program.pick(TYPES))];
    this.labels = [{ types: signature.results, loop: false, handler: false }];
  }

  body(): Writer {
    // Without fuel a call gives constants at once.
    this.burn();
    this.w.byte(0x04).byte(VOID);
    for (const type of this.signature.results) constant(this.w, type, this.program);
    this.w.byte(0x0f).byte(0x0b);
    this.statements(2 + this.program.below(4), 0);
    this.sayLocal();
    for (const type of this.signature.results) this.value(type, 0);
    return this.finish();
  }

  /** The program's own: calls every function, and says what became of globals and memory. */
  start(): Writer {
    const { program, w } = this;
    this.statements(2, 1);
    program.functions.forEach((signature, f) => {
      w.byte(0x41).s32(FUEL).byte(0x24).u32(FUEL_GLOBAL);
      w.byte(0x06).byte(VOID);
      this.labels.push({ types: [], loop: false, handler: false });
      for (const type of signature.params) this.value(type, 2);
      w.byte(0x10).u32(FIRST + f);
      for (const type of [...signature.results].reverse()) this.say(type);
      w.byte(0x19);
      w.byte(0x41).s32(0xe0).byte(0x10).u32(SAY);
      w.byte(0x0b);
      this.labels.pop();
    });
    for (const type of TYPES) {
      w.byte(0x23).u32(globalOf(type, 0));
      this.say(type);
    }
    for (let at = 0; at < 64; at += 16) {
      w.byte(0x41).s32(at).byte(0x28).u32(2).u32(0);
      this.say(I32);
    }
    return this.finish();
  }

  private finish(): Writer {
    this.w.byte(0x0b);
    const whole = new Writer(this.w.length + 64);
    const own = [...this.locals.slice(this.signature.params.length), I32, I32, I32]; // three that only countedLoop uses
    whole.u32(own.length);
    for (const type of own) whole.u32(1).byte(type);
    return whole.bytes(this.w.view());
  }

  /** -> i32: the fuel is used up. */
  private burn(): void {
    const { w } = this;
    w.byte(0x23).u32(FUEL_GLOBAL).byte(0x41).s32(1).byte(0x6b).byte(0x24).u32(FUEL_GLOBAL);
    w.byte(0x23).u32(FUEL_GLOBAL).byte(0x41).s32(0).byte(0x48);
  }

  /** The value on top as a line of output. */
  private say(type: Type): void {
    const { w } = this;
    if (type === I64) w.byte(0xa7);
    else if (type === F32) w.byte(0xfc).u32(0);
    else if (type === F64) w.byte(0xfc).u32(2);
    else if (type === V128) w.byte(0xfd).u32(27).byte(1);
    w.byte(0x10).u32(SAY);
  }

  private localOf(type: Type): number {
    const all = this.locals.flatMap((local, index) => (local === type ? [index] : []));
    return this.program.pick(all);
  }

  /** A block type for these, as bytes after the opcode. */
  private blockType(params: Type[], results: Type[]): void {
    if (params.length === 0 && results.length === 0) this.w.byte(VOID);
    else if (params.length === 0 && results.length === 1) this.w.byte(results[0] as number);
    else this.w.s32(this.program.typeIndex({ params, results }));
  }

  private sayLocal(): void {
    const local = this.program.below(this.locals.length);
    this.w.byte(0x20).u32(local);
    this.say(this.locals[local] as Type);
  }

  // ---- statements: nothing taken, nothing given

  private statements(count: number, depth: number): void {
    for (let k = 0; k < count; k++) this.statement(depth);
  }

  private statement(depth: number): void {
    const { program, w } = this;
    this.size++;
    if (depth >= MOST_DEPTH || this.size > 120) {
      w.byte(0x10).u32(YIELD);
      return;
    }
    const type = program.pick(TYPES);
    switch (program.below(22)) {
      case 18:
      case 19:
        return this.sayLocal();
      case 20:
        this.guarded([], depth);
        return this.sayLocal();
      case 15: {
        // Grows, at most a few times.
        w.byte(0x3f).byte(0).byte(0x41).s32(4).byte(0x48).byte(0x04).byte(VOID);
        w.byte(0x41).s32(1).byte(0x40).byte(0).byte(0x1a).byte(0x0b);
        this.address(depth);
        this.value(I32, depth + 1);
        w.byte(0x41).s32(4).byte(0xfc).u32(11).byte(0); // memory.fill
        return;
      }
      case 16: {
        // Another function of the same type, so that calls through the table still fit.
        const slot = program.below(program.functions.length);
        const same = program.functions.flatMap((signature, f) =>
          program.typeIndex(signature) === program.typeIndex(program.functions[slot] as Signature) ? [f] : [],
        );
        w.byte(0x41)
          .s32(slot)
          .byte(0xd2)
          .u32(FIRST + program.pick(same))
          .byte(0x26)
          .u32(0);
        return;
      }
      case 17:
        return this.tailCall(depth);
      case 21:
        return this.countedLoop();
      case 0:
      case 1:
        this.value(type, depth + 1);
        w.byte(0x21).u32(this.localOf(type));
        return;
      case 2:
        this.value(type, depth + 1);
        w.byte(0x24).u32(globalOf(type, program.below(2)));
        return;
      case 3:
        this.value(I32, depth + 1);
        this.say(I32);
        return;
      case 4:
        w.byte(0x10).u32(YIELD);
        return;
      case 5:
        this.address(depth);
        this.value(I32, depth + 1);
        w.byte(0x36).u32(2).u32(0);
        return;
      case 6: {
        this.value(I32, depth + 1);
        w.byte(0x04).byte(VOID);
        this.labels.push({ types: [], loop: false, handler: false });
        this.statements(1 + program.below(2), depth + 1);
        if (program.chance(0.6)) {
          w.byte(0x05);
          this.statements(1 + program.below(2), depth + 1);
        }
        this.close();
        return;
      }
      case 7:
      case 8:
        return this.loop(depth);
      case 9:
        w.byte(0x02).byte(VOID);
        this.labels.push({ types: [], loop: false, handler: false });
        this.statements(1 + program.below(3), depth + 1);
        this.close();
        return;
      case 10:
        return this.branch(depth);
      case 11:
        return this.jumpTable(depth);
      case 12:
        return this.guarded([], depth);
      case 13:
        return this.throwing(depth);
      default:
        this.call(depth);
        for (const result of [...this.called].reverse()) w.byte(0x21).u32(this.localOf(result));
        return;
    }
  }

  private close(): void {
    this.w.byte(0x0b);
    this.labels.pop();
  }

  /**
   * A loop that counts itself, in one of many ways, from anywhere in the numbers there are. It goes on to mix the count into a local, and may end before.
   */
  private countedLoop(): void {
    const { program, w } = this;
    const [counter, bound, ahead] = [0, 1, 2].map((k) => this.locals.length + k) as [number, number, number];
    const get = (local: number): Writer => w.byte(0x20).u32(local);
    const set = (local: number): Writer => w.byte(0x21).u32(local);
    const i32 = (value: number): Writer => w.byte(0x41).s32(value | 0);
    const step = program.pick([1, 1, 2, 4, 12]) * program.pick([1, -1]);
    const turns = program.pick([1, 2, 9, 1 + program.below(200), 1 + program.below(MOST_TURNS)]);
    const from = program.pick([0, 100, -7, 0x7ffffffa, -0x7ffffffd, program.below(1 << 30)]);
    const equal = program.chance(0.5);
    const to = from + step * turns + (equal ? 0 : program.below(3) * Math.sign(step));
    const signed = Math.max(from, to) + 12 < 2 ** 31 && Math.min(from, to) - 12 >= -(2 ** 31);
    const unsigned = Math.min(from, to) >= 12;
    // Where the order does not tell when to end, only equality does.
    const ordered = !equal && (signed || unsigned);
    const goal = ordered ? to : from + step * turns;
    const [less, more] = signed ? [0x48, 0x4a] : [0x49, 0x4b];
    const goesOn = ordered ? (step > 0 ? less : more) : 0x47;
    const inLocal = program.chance(0.5);
    const lead = program.chance(0.3) ? program.below(1000) : 0;
    i32(from);
    set(counter);
    i32(goal + lead);
    set(bound);
    const test = (): void => {
      if (lead) {
        get(counter);
        i32(lead).byte(0x6a);
        set(ahead);
      }
      get(lead ? ahead : counter);
      if (inLocal) get(bound);
      else i32(goal + lead);
      w.byte(goesOn);
    };
    const mixed = this.localOf(I32);
    const first = program.chance(0.5);
    w.byte(0x02).byte(VOID).byte(0x03).byte(VOID);
    if (first) {
      test();
      w.byte(0x45).byte(0x0d).u32(1);
    }
    get(mixed);
    i32(31).byte(0x6c);
    get(counter).byte(0x73);
    set(mixed);
    if (program.chance(0.3)) {
      get(mixed);
      i32(0xfff).byte(0x71);
      i32(77).byte(0x46).byte(0x0d).u32(1);
    }
    get(counter);
    i32(step).byte(0x6a);
    set(counter);
    if (first) w.byte(0x0c).u32(0);
    else {
      test();
      w.byte(0x0d).u32(0);
    }
    w.byte(0x0b).byte(0x0b);
    get(mixed);
    this.say(I32);
  }

  private loop(depth: number): void {
    const { program, w } = this;
    const params = program.chance(0.3) ? [program.pick(TYPES)] : [];
    for (const type of params) this.value(type, depth + 1);
    w.byte(0x02);
    this.blockType(params, []);
    this.labels.push({ types: [], loop: false, handler: false });
    w.byte(0x03);
    this.blockType(params, []);
    this.labels.push({ types: params, loop: true, handler: false });
    this.burn();
    w.byte(0x0d).u32(1);
    if (params.length > 0) this.statement(depth + 1); // with the parameters beneath
    for (const type of [...params].reverse()) w.byte(0x21).u32(this.localOf(type));
    this.statements(1 + program.below(3), depth + 1);
    for (const type of params) this.value(type, depth + 2);
    if (program.chance(0.5)) {
      this.value(I32, depth + 2);
      w.byte(0x0d).u32(0);
      for (const type of params) w.byte(0x21).u32(this.localOf(type));
    } else w.byte(0x0c).u32(0);
    this.close();
    this.close();
  }

  /** A conditional branch somewhere that takes one value or none. */
  private branch(depth: number): void {
    const { program, w } = this;
    const to = program.below(this.labels.length);
    const { types } = this.labels[this.labels.length - 1 - to] as Label;
    for (const type of types) this.value(type, depth + 2);
    this.value(I32, depth + 1);
    w.byte(0x0d).u32(to);
    for (const type of [...types].reverse()) w.byte(0x21).u32(this.localOf(type));
  }

  private jumpTable(depth: number): void {
    const { program, w } = this;
    const count = 2 + program.below(3);
    for (let k = 0; k < count; k++) {
      w.byte(0x02).byte(VOID);
      this.labels.push({ types: [], loop: false, handler: false });
    }
    this.value(I32, depth + 1);
    w.byte(0x41)
      .s32(count + 1)
      .byte(0x70);
    w.byte(0x0e).u32(count);
    for (let k = 0; k < count; k++) w.u32(program.below(count));
    w.u32(program.below(count));
    for (let k = 0; k < count; k++) {
      this.close();
      this.statement(depth + 1);
    }
  }

  /** Instead of going on, now and then. */
  private tailCall(depth: number): void {
    const { program, w } = this;
    const fitting = program.functions.flatMap(({ results }, f) => (`${results}` === `${this.signature.results}` ? [f] : []));
    if (fitting.length === 0) return;
    const f = program.pick(fitting);
    this.value(I32, depth + 1);
    w.byte(0x41).s32(7).byte(0x71).byte(0x45).byte(0x04).byte(VOID);
    this.labels.push({ types: [], loop: false, handler: false });
    const signature = program.functions[f] as Signature;
    for (const type of signature.params) this.value(type, depth + 2);
    if (program.chance(0.5)) w.byte(0x12).u32(FIRST + f);
    else w.byte(0x41).s32(f).byte(0x13).u32(program.typeIndex(signature)).u32(0);
    this.close();
  }

  private guarded(results: Type[], depth: number): void {
    const { program, w } = this;
    const finish = (): void => {
      for (const type of results) this.value(type, depth + 2);
    };
    w.byte(0x06);
    this.blockType([], results);
    const label: Label = { types: results, loop: false, handler: false };
    this.labels.push(label);
    this.statements(1 + program.below(3), depth + 1);
    finish();
    if (program.chance(0.15)) {
      this.labels.pop();
      w.byte(0x18).u32(program.below(this.labels.length));
      return;
    }
    label.handler = true;
    const caught = program.tags.flatMap((_, tag) => (program.chance(0.5) ? [tag] : []));
    for (const tag of caught) {
      w.byte(0x07).u32(tag);
      if (program.chance(0.3)) this.statement(depth + 1); // with the values thrown beneath
      for (const type of [...(program.tags[tag] as Type[])].reverse()) w.byte(0x21).u32(this.localOf(type));
      this.sayLocal();
      this.statements(1 + program.below(2), depth + 1);
      finish();
    }
    if (caught.length === 0 || program.chance(0.5)) {
      w.byte(0x19);
      this.sayLocal();
      this.statements(1 + program.below(2), depth + 1);
      finish();
    }
    this.close();
  }

  private throwing(depth: number): void {
    const { program, w } = this;
    this.value(I32, depth + 1);
    w.byte(0x41).s32(1).byte(0x71).byte(0x45).byte(0x04).byte(VOID);
    this.labels.push({ types: [], loop: false, handler: false });
    if (program.chance(0.5)) w.byte(0x10).u32(YIELD);
    const handlers = this.labels.flatMap(({ handler }, index) => (handler ? [this.labels.length - 1 - index] : []));
    if (handlers.length > 0 && program.chance(0.6)) w.byte(0x09).u32(program.pick(handlers));
    else {
      const tag = program.below(program.tags.length);
      for (const type of program.tags[tag] as Type[]) this.value(type, depth + 2);
      w.byte(0x08).u32(tag);
    }
    this.close();
  }

  // ---- values: one given

  private address(depth: number): void {
    this.value(I32, depth + 2);
    this.w.byte(0x41).s32(60).byte(0x71);
  }

  /** Results of the call just made. */
  private called: Type[] = [];

  private call(depth: number, wanted?: Type): void {
    const { program, w } = this;
    const fitting = program.functions.flatMap((signature, f) =>
      wanted === undefined || `${signature.results}` === `${wanted}` ? [f] : [],
    );
    if (fitting.length === 0 || depth >= MOST_DEPTH) {
      if (wanted !== undefined) this.leaf(wanted);
      this.called = wanted === undefined ? [] : [wanted];
      return;
    }
    const f = program.pick(fitting);
    const signature = program.functions[f] as Signature;
    for (const type of signature.params) this.value(type, depth + 1);
    if (program.chance(0.3)) {
      w.byte(0x41).s32(f);
      w.byte(0x11).u32(program.typeIndex(signature)).u32(0);
    } else w.byte(0x10).u32(FIRST + f);
    this.called = signature.results;
  }

  private leaf(type: Type): void {
    const { program, w } = this;
    const which = program.below(4);
    if (which === 0) constant(w, type, program);
    else if (which === 1) w.byte(0x23).u32(globalOf(type, program.below(2)));
    else w.byte(0x20).u32(this.localOf(type));
  }

  private value(type: Type, depth: number): void {
    const { program, w } = this;
    this.size++;
    if (depth >= MOST_DEPTH || this.size > 150) return this.leaf(type);
    switch (program.below(12)) {
      case 0:
      case 1:
        return this.leaf(type);
      case 2:
        return this.call(depth, type);
      case 3: {
        this.value(I32, depth + 1);
        w.byte(0x04).byte(type);
        this.labels.push({ types: [type], loop: false, handler: false });
        if (program.chance(0.5)) this.statement(depth + 1);
        this.value(type, depth + 1);
        w.byte(0x05);
        this.value(type, depth + 1);
        if (program.chance(0.4)) {
          w.byte(0x10).u32(YIELD);
        }
        this.close();
        return;
      }
      case 4: {
        const params = program.chance(0.4) ? [program.pick(TYPES), program.pick(TYPES)] : [];
        for (const param of params) this.value(param, depth + 1);
        w.byte(0x02);
        this.blockType(params, [type]);
        this.labels.push({ types: [type], loop: false, handler: false });
        if (params.length > 0 && program.chance(0.5)) w.byte(0x10).u32(YIELD);
        for (const param of [...params].reverse()) w.byte(0x21).u32(this.localOf(param));
        this.statements(program.below(3), depth + 1);
        this.value(type, depth + 1);
        this.close();
        return;
      }
      case 5:
        this.value(type, depth + 1);
        this.value(type, depth + 1);
        this.value(I32, depth + 1);
        if (type === V128) w.byte(0x1c).u32(1).byte(V128);
        else w.byte(0x1b);
        return;
      case 6:
        this.value(type, depth + 1);
        w.byte(0x22).u32(this.localOf(type));
        return;
      case 7:
        return this.guarded([type], depth);
      default:
        return this.operator(type, depth);
    }
  }

  private operator(type: Type, depth: number): void {
    const { program, w } = this;
    if (type === V128) {
      this.value(V128, depth + 1);
      if (program.chance(0.5)) {
        this.value(V128, depth + 1);
        w.byte(0xfd).u32(174); // i32x4.add
      } else {
        this.value(I32, depth + 1);
        w.byte(0xfd).u32(28).byte(program.below(4)); // i32x4.replace_lane
      }
      return;
    }
    if (type === I32 && program.chance(0.25)) {
      const kind = program.below(3);
      if (kind === 0) {
        this.address(depth);
        w.byte(0x28).u32(2).u32(0);
      } else if (kind === 1) {
        this.value(V128, depth + 1);
        w.byte(0xfd).u32(27).byte(program.below(4)); // i32x4.extract_lane
      } else {
        this.value(F64, depth + 1);
        w.byte(0xfc).u32(2); // i32.trunc_sat_f64_s
      }
      return;
    }
    const [takes, opcodes] = program.pick(OPERATORS[type] as [Type[], number[]][]);
    // Divisions are rare, as most of them end the program.
    const chosen = opcodes[0] === 0x6d && !program.chance(0.1) ? [0x6a] : opcodes;
    for (const taken of takes) this.value(taken, depth + 1);
    w.byte(program.pick(chosen));
  }
}
