import { crc32, deflateSync } from "node:zlib";
import { encode } from "uqr";

/** Of white around the code, in squares: cameras need four. */
const MARGIN = 4;
/** Pixels a square: sharp on a phone, and on a second screen that it is read from. */
const SCALE = 8;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** A text of up to 2 kB as the picture of its QR code: a PNG, black on white, one bit a pixel. */
export function qrPng(text: string): Uint8Array<ArrayBuffer> {
  const squares = encode(text, { border: MARGIN }).data;
  const side = squares.length * SCALE;
  const stride = 1 + Math.ceil(side / 8);
  const rows = new Uint8Array(stride * side);
  for (let y = 0; y < side; y++) {
    // Each row begins with its filter, which is none.
    const start = y * stride + 1;
    const line = squares[Math.floor(y / SCALE)] ?? [];
    for (let x = 0; x < side; x++) {
      if (line[Math.floor(x / SCALE)]) continue;
      const at = start + (x >> 3);
      rows[at] = (rows[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // One bit deep, greyscale; compression, filter and interlacing as PNG knows only or usually does.
  header.set([1, 0, 0, 0, 0], 8);
  const parts = [
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

/** Length, name, data, and the CRC of name and data. Source: PNG specification, "Chunk layout". */
function chunk(name: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(named, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
