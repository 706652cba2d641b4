import { cachedAsyncBuffer, parquetMetadataAsync, parquetRead, parquetSchema, type AsyncBuffer, type Compressors, type FileMetaData, type RowGroup, type SchemaTree } from "hyparquet";
import { MOST_BYTES, MOST_CELLS, MOST_ROWS, SHOWN_ROWS, type TableCollector } from "./collector";

/** Read the first rows of a Parquet file; only the bytes of these rows are asked for. Returns how many rows the file has.
 *
 * `onShown` is called when there are as many rows as are shown. */
export async function readParquet(source: AsyncBuffer, compressors: Compressors, into: TableCollector, onShown: () => void = () => {}): Promise<number> {
  const file = cachedAsyncBuffer(source);
  const metadata = await parquetMetadataAsync(file);
  const schema = parquetSchema(metadata).children;
  const total = Number(metadata.num_rows);
  const columns = chooseColumns(metadata, schema);
  into.begin(columns.map(({ element }) => element.name), columns.map(describeType));
  into.hide(schema.slice(columns.length).map(({ element }) => element.name));
  const most = Math.min(MOST_ROWS, Math.ceil(MOST_CELLS / Math.max(1, columns.length)));
  const names = columns.map(({ element }) => element.name);
  let [rowStart, bytes] = [0, 0];
  for (const group of metadata.row_groups) {
    const rowEnd = Math.min(rowStart + Number(group.num_rows), rowStart + most - into.read);
    bytes += names.reduce((sum, name) => sum + measureColumn(group, name), 0);
    if (into.isFull || rowEnd <= rowStart || (rowStart > 0 && bytes > MOST_BYTES)) break;
    const shown = into.read < SHOWN_ROWS ? Math.min(rowEnd, rowStart + SHOWN_ROWS) : rowStart;
    for (const [from, to] of [[rowStart, shown], [shown, rowEnd]]) {
      if (from >= to) continue;
      await parquetRead({
        file, metadata, columns: names, rowStart: from, rowEnd: to, compressors, useOffsetIndex: true,
        onComplete: (rows) => rows.forEach((row) => !into.isFull && into.addValues(row)),
      });
      if (to === shown) onShown();
    }
    rowStart += Number(group.num_rows);
  }
  return total;
}

/** The columns that are read: as many of the first ones as a row group of moderate size would have. */
function chooseColumns({ row_groups }: FileMetaData, schema: SchemaTree[]): SchemaTree[] {
  const first = row_groups[0];
  if (!first) return schema;
  let bytes = 0;
  const count = schema.findIndex(({ element }, place) => (bytes += measureColumn(first, element.name)) > 2 * MOST_BYTES && place > 0);
  return count < 0 ? schema : schema.slice(0, count);
}

function measureColumn(group: RowGroup, name: string): number {
  const own = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name);
  return own.reduce((sum, { meta_data }) => sum + Number(meta_data!.total_compressed_size), 0);
}

function describeType({ element, children }: SchemaTree): string {
  const logical = element.logical_type?.type ?? element.converted_type;
  if (logical === "INTEGER" && element.logical_type?.type === "INTEGER") return `${element.logical_type.isSigned ? "" : "u"}int${element.logical_type.bitWidth}`;
  if (logical) return logical.toLowerCase().replace(/^utf8$/, "string").replace(/_(?:milli|micro)s$/, "");
  return children.length ? "struct" : (element.type ?? "").toLowerCase().replace("byte_array", "bytes");
}
