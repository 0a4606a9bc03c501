// Tables for people: columns as wide as their contents, no lines, heads in capitals. Pure: rows in, text out.

export interface Column<Row> {
  head: string;
  value(row: Row): string;
  align?: "left" | "right";
  /** Applied to the padded cell, so that escape sequences do not count as width. */
  paint?(cell: string, row: Row): string;
}

const GAP = "  ";

/** One line per row under a line of heads, each ending in a newline. A cell never holds a control character. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = columns.map((column, at) =>
    Math.max(displayWidth(column.head), ...cells.map((row) => displayWidth(row[at] ?? ""))),
  );
  const pad = (text: string, at: number): string => {
    const blanks = " ".repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(text)));
    if (columns[at]?.align === "right") return blanks + text;
    return at === columns.length - 1 ? text : text + blanks;
  };
  const lines = [columns.map((column, at) => pad(column.head, at)).join(GAP)];
  rows.forEach((row, rowAt) => {
    const line = columns.map((column, at) => {
      const cell = pad(cells[rowAt]?.[at] ?? "", at);
      return column.paint ? column.paint(cell, row) : cell;
    });
    lines.push(line.join(GAP).trimEnd());
  });
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** Text from elsewhere (names of jobs and hosts) cannot steer the terminal: control characters become "?". */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "?");
}

/** Columns a text takes; wide (East Asian, emoji) characters count two, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
