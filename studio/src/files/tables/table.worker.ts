import type { AsyncBuffer } from "hyparquet";
import { decompressBrotli, decompressGzip, decompressLz4, decompressLz4Raw, decompressZstd } from "hyparquet-compressors";
import { request } from "../../api/client";
import { MOST_BYTES, SHOWN_ROWS, TableCollector, type TableContent, type Window } from "./collector";
import type { TableFile } from "./files";
import type { Reader } from "./mltable";
import { readParquet } from "./parquet";
import { createReader } from "./readers";

export interface TableTask {
  files: TableFile[];
  reader: Reader;
  window: Window;
  keep: string[] | null;
  drop: string[];
}

export type TableAnswer = { content: TableContent } | { error: string };

/** Snappy is read by hyparquet's own JavaScript: that of this package is WebAssembly, which the pages' policy refuses. */
const COMPRESSORS = { GZIP: decompressGzip, BROTLI: decompressBrotli, ZSTD: (input: Uint8Array) => decompressZstd(input), LZ4: decompressLz4, LZ4_RAW: decompressLz4Raw };

self.onmessage = async ({ data }: MessageEvent<TableTask>) => {
  try {
    self.postMessage({ content: await readTable(data) } satisfies TableAnswer);
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) } satisfies TableAnswer);
  }
};

async function readTable({ files, reader, window, keep, drop }: TableTask): Promise<TableContent> {
  const collector = new TableCollector(window, (name) => (!keep || keep.includes(name)) && !drop.includes(name));
  let [left, rows, isWhole] = [MOST_BYTES, 0, true];
  const tellRows = () => self.postMessage({ content: collector.finish(null, true) } satisfies TableAnswer);
  const lines = reader.kind === "parquet" ? null : createReader(reader, collector);
  for (const file of files) {
    if (collector.isFull || left <= 0) isWhole = false;
    else if (!lines) rows += await readParquet(openBuffer(file), COMPRESSORS, collector, tellRows);
    else {
      isWhole = (await readText(file, left, lines, collector, tellRows)) && isWhole;
      left -= file.size;
    }
  }
  if (collector.isAtEnd) return collector.finish(collector.read);
  if (!isWhole) return collector.finish(null);
  return collector.finish(lines ? collector.read : Math.max(0, rows - window.from));
}

/** Read a file of text, or its beginning; true if all of it was read. */
async function readText(file: TableFile, most: number, lines: ReturnType<typeof createReader>, collector: TableCollector, onShown: () => void): Promise<boolean> {
  lines.begin();
  if (!file.size) return true;
  const answer = await request(file.url, { headers: { range: `bytes=0-${most - 1}` } });
  const decoder = new TextDecoder(lines.encoding);
  const body = answer.body!.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    const before = collector.read;
    lines.push(decoder.decode(value, { stream: true }));
    if (before < SHOWN_ROWS && collector.read >= SHOWN_ROWS) onShown();
    if (!collector.isFull) continue;
    void body.cancel();
    return false;
  }
  if (file.size > most) return false;
  lines.push(decoder.decode());
  lines.finish();
  return true;
}

function openBuffer(file: TableFile): AsyncBuffer {
  return {
    byteLength: file.size,
    async slice(start, end = file.size) {
      const answer = await request(file.url, { headers: { range: `bytes=${start}-${end - 1}` } });
      return answer.arrayBuffer();
    },
  };
}
