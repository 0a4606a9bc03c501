// wasi-libc prints and scans numbers of type long double only with a library of its own, in which those of type double are slower, too; without it,
// a program that comes to one ends. So who is linked without and may do it is linked again, with that library.

/** A conversion of printf or scanf with the letter L. */
const CONVERSION = /%[-+ #0'*\d.]*L[aAeEfFgG]/;
/** One that is not what libc++ has in every program with streams: "%.0Lf" and "%Lf". */
const OTHER_CONVERSION = /(?!\0%(?:\.0)?Lf\0)[\s\S]%[-+ #0'*\d.]*L[aAeEfFgG]/;
/** As wasm-ld writes C++'s names. */
const CALLED = /::(?:operator<<|to_w?string)\(long double\)|::operator>>\(long double&\)/;
/** Behind the name's length. Streams of C++ hold it, too, whether it is called or not. */
const SCANNED = "\u0007strtold";
const STREAMS = /::num_get</;

/** Whether a linked program, with its functions' names, may print or scan numbers of type long double. */
export function usesLongDouble(program: Uint8Array): boolean {
  const text = Buffer.from(program.buffer, program.byteOffset, program.byteLength).toString("latin1");
  if (STREAMS.test(text)) return OTHER_CONVERSION.test(text) || CALLED.test(text);
  return CONVERSION.test(text) || text.includes(SCANNED);
}

export const LONG_DOUBLE_ARGS: readonly string[] = ["-lc-printscan-long-double"];
