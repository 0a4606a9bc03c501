// The face of what the process runtime has in browsers only.
export { loadZstdPacker } from "./packer.browser.ts";
