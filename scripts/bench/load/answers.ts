/** Where an answer stands that arrives in pieces. */
type Progress = { readonly kind: "incomplete" } | { readonly kind: "complete"; readonly status: number };

/**
 * Follows the answers on one keep-alive connection, one at a time: enough of HTTP/1.1 for servers whose answers say
 * their length. A head that comes in two pieces is put together first.
 */
export function createAnswerReader(): (piece: Buffer) => Progress {
  let head = "";
  let missing = -1;
  let status = 0;
  return (piece) => {
    if (missing < 0) {
      const text = head + piece.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) {
        head = text;
        return { kind: "incomplete" };
      }
      status = Number(text.slice(9, 12));
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
      missing = length - (text.length - end - 4);
      head = "";
    } else {
      missing -= piece.length;
    }
    if (missing > 0) return { kind: "incomplete" };
    missing = -1;
    return { kind: "complete", status };
  };
}
