// The first rows of a CSV text (RFC 4180: quotes, doubled quotes, line breaks within quotes).
export function csvRows(text, separator, most) {
  const rows = [];
  let row = [], cell = "", inQuotes = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
    cell = "";
  };
  for (let at = 0; at < text.length && rows.length < most; at++) {
    const c = text[at];
    if (inQuotes) {
      if (c !== '"') cell += c;
      else if (text[at + 1] === '"') { cell += c; at++; }
      else inQuotes = false;
    } else if (c === '"' && cell === "") inQuotes = true;
    else if (c === separator) { row.push(cell); cell = ""; }
    else if (c === "\n") endRow();
    else if (c !== "\r") cell += c;
  }
  if (rows.length < most && (cell !== "" || row.length)) endRow();
  return rows;
}
