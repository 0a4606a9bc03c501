// A file or an output of a job to look at: an image, a table, or text. What jobs wrote is never run or laid out as a page: images come from a
// blob of image bytes or are drawn pixel by pixel, all else is text.
import { useEffect, useMemo, useRef } from "react";
import { askBytes, useAsk } from "../../client.ts";
import { Dialog, Shown } from "../../parts.tsx";
import { t } from "../../words.tsx";
import { isPicture, MAX_ROWS_SHOWN, type Picture, pictureOf, tableOf } from "./formats.ts";

const IMAGE = /\.(png|jpe?g|gif|webp|bmp)$/i;
const TABLE = /\.(csv|tsv)$/i;
/** Of text. */
const MAX_CHARACTERS = 512 * 1024;

export function Look({ path, address, close }: { path: string; address: string; close(): void }) {
  const asked = useAsk(address, () => askBytes(address));
  return (
    <Dialog title={path} onClose={close}>
      <Shown asked={asked}>{({ bytes }) => <Shape path={path} bytes={bytes} />}</Shown>
    </Dialog>
  );
}

function Shape({ path, bytes }: { path: string; bytes: Uint8Array<ArrayBuffer> }) {
  const text = useMemo(() => new TextDecoder().decode(bytes.subarray(0, MAX_CHARACTERS)), [bytes]);
  const picture = useMemo(() => (isPicture(text) ? pictureOf(bytes) : undefined), [bytes, text]);
  const table = useMemo(() => (TABLE.test(path) ? tableOf(text) : undefined), [path, text]);
  if (IMAGE.test(path)) return <BlobImage path={path} bytes={bytes} />;
  if (picture) return <Drawn path={path} picture={picture} />;
  if (table) return <Table path={path} rows={table} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
    <pre className="output" tabIndex={0}>
      {text}
    </pre>
  );
}

function BlobImage({ path, bytes }: { path: string; bytes: Uint8Array<ArrayBuffer> }) {
  const address = useMemo(() => URL.createObjectURL(new Blob([bytes])), [bytes]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return <img className="look" src={address} alt={path} />;
}

function Drawn({ path, picture }: { path: string; picture: Picture }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, pixels } = picture;
  useEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [width, height, pixels]);
  return <canvas ref={canvas} className="look" width={width} height={height} role="img" aria-label={path} />;
}

function Table({ path, rows: [head = [], ...rows] }: { path: string; rows: string[][] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
    <div className="output" tabIndex={0}>
      <table className="look-table" aria-label={path}>
        <thead>
          <tr>
            {head.map((field, at) => (
              <th key={at} scope="col">
                {field}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, line) => (
            <tr key={line}>
              {row.map((field, at) => (
                <td key={at}>{field}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length >= MAX_ROWS_SHOWN - 1 && <p className="muted">{t("firstOnly", { count: rows.length })}</p>}
    </div>
  );
}
