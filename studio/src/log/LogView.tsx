import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { ApiError, request } from "../api/client";
import { Icon } from "../shell/icons";
import { Empty, ErrorMessage } from "../shell/messages";
import { formatBytes } from "../text/format";
import { parseColours } from "./ansi";
import { PIECE, readBefore, readEnd, readFrom, splitLines } from "./tail";
import "./log.css";

const POLL = 1000;
const LINE_HEIGHT = 19;
const MOST_BYTES = 8 * 1024 * 1024;

interface Loaded {
  text: string;
  from: number;
  to: number;
  size: number;
}

/** A log, opened at its end; it follows while it grows, and earlier pieces are loaded as they are scrolled to. */
export function LogView({ url, isGrowing, name }: { url: string; isGrowing: boolean; name: string }) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isFollowing, setFollowing] = useState(true);
  const [search, setSearch] = useState("");
  const [hit, setHit] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const busy = useRef(false);
  const fetchRange = useCallback(
    (range: string) => request(url, { headers: { range } }).catch((caught: unknown) => {
      if (caught instanceof ApiError && caught.status === 416) return new Response(null, { status: 416 });
      throw caught;
    }),
    [url],
  );
  const jumpToEnd = useCallback(() => run(async () => setLoaded(await readEnd(fetchRange))), [fetchRange]);

  async function run(work: () => Promise<void>) {
    if (busy.current) return;
    busy.current = true;
    try {
      await work();
      setError(null);
    } catch (caught) {
      setError(caught as Error);
    } finally {
      busy.current = false;
    }
  }

  useEffect(() => {
    setLoaded(null);
    setFollowing(true);
    busy.current = false;
    void jumpToEnd();
  }, [jumpToEnd]);

  const latest = useRef(loaded);
  latest.current = loaded;
  const readOn = useCallback(
    () => run(async () => {
      const before = latest.current;
      if (!before) return setLoaded(await readEnd(fetchRange));
      const more = await readFrom(fetchRange, before.to);
      if (more.to > before.to) setLoaded(append(before, more));
    }),
    [fetchRange],
  );
  useEffect(() => {
    if (!isGrowing) {
      void readOn();
      return;
    }
    const timer = setInterval(readOn, POLL);
    return () => clearInterval(timer);
  }, [isGrowing, readOn]);

  const lines = useMemo(() => splitLines(loaded?.text ?? ""), [loaded]);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => LINE_HEIGHT, overscan: 30 });
  const hits = useMemo(() => (search ? lines.flatMap((line, k) => (line.toLowerCase().includes(search.toLowerCase()) ? [k] : [])) : []), [lines, search]);

  useLayoutEffect(() => {
    if (isFollowing && lines.length) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [lines, isFollowing]);

  async function loadEarlier() {
    const before = latest.current;
    if (!before || before.from === 0) return;
    await run(async () => {
      const piece = await readBefore(fetchRange, before.from);
      const count = splitLines(piece.text).length;
      setLoaded(prepend(piece, before));
      requestAnimationFrame(() => virtual.scrollToIndex(count, { align: "start" }));
    });
  }

  function scroll() {
    const element = scroller.current!;
    setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < 2 * LINE_HEIGHT);
    if (element.scrollTop < 200) void loadEarlier();
    else if (latest.current && latest.current.to < latest.current.size && element.scrollHeight - element.scrollTop - element.clientHeight < 400) void readOn();
  }

  function goToHit(step: number) {
    if (!hits.length) return;
    const next = (hit + step + hits.length) % hits.length;
    setHit(next);
    setFollowing(false);
    virtual.scrollToIndex(hits[next], { align: "center" });
  }

  if (error instanceof ApiError && error.status === 404) return <Empty icon="file" title={isGrowing ? "Nothing is written yet" : "It wrote no log"} />;
  if (error && !loaded) return <ErrorMessage error={error} retry={jumpToEnd} />;
  return (
    <div className="log">
      <div className="log-bar">
        <label className="search-field">
          <Icon name="search" />
          <span className="visually-hidden">Search in the loaded part</span>
          <input className="field" type="search" placeholder="Search in the loaded part" value={search} onChange={(event) => { setSearch(event.target.value); setHit(-1); }} onKeyDown={(event) => event.key === "Enter" && goToHit(event.shiftKey ? -1 : 1)} />
        </label>
        {search && <span className="muted number" role="status">{hits.length ? `${Math.max(0, hit) + 1} of ${hits.length}` : "not found"}</span>}
        <span className="space" />
        {loaded && <span className="muted number">{formatBytes(loaded.size)}</span>}
        <button className="button small" onClick={() => run(async () => { setFollowing(false); setLoaded(await readFrom(fetchRange, 0)); scroller.current?.scrollTo(0, 0); })}>Beginning</button>
        <button className="button small" aria-pressed={isFollowing} onClick={() => { setFollowing(true); void jumpToEnd(); }}>{isGrowing ? "Follow" : "End"}</button>
        <a className="button small icon" href={url} download={name} aria-label="Download the log"><Icon name="download" size={14} /></a>
      </div>
      <div className="log-lines" ref={scroller} onScroll={scroll} tabIndex={0} role="log" aria-label={`Log ${name}`} aria-live="off">
        {loaded && loaded.from > 0 && <button className="button small quiet earlier" onClick={loadEarlier}>{formatBytes(loaded.from)} before this</button>}
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <div key={item.key} ref={virtual.measureElement} data-index={item.index} className={search && hits.includes(item.index) ? "log-line hit" : "log-line"} data-current={hits[hit] === item.index || undefined} style={{ transform: `translateY(${item.start}px)` }}>
              {parseColours(lines[item.index]).map((span, k) => <span key={k} className={[span.colour && `ansi-${span.colour}`, span.isBold && "bold"].filter(Boolean).join(" ") || undefined}>{span.text || "\u200b"}</span>)}
            </div>
          ))}
        </div>
        {loaded && !lines.length && <p className="muted">{isGrowing ? "Nothing is written yet." : "It wrote nothing."}</p>}
      </div>
    </div>
  );
}

function append(before: Loaded, more: Loaded): Loaded {
  const joined = { text: before.text + more.text, from: before.from, to: more.to, size: more.size };
  if (joined.to - joined.from <= MOST_BYTES) return joined;
  const cut = joined.text.indexOf("\n", joined.text.length / 2) + 1;
  return { ...joined, text: joined.text.slice(cut), from: joined.from + new TextEncoder().encode(joined.text.slice(0, cut)).length };
}

function prepend(piece: Loaded, before: Loaded): Loaded {
  const joined = { text: piece.text + before.text, from: piece.from, to: before.to, size: piece.size };
  if (joined.to - joined.from <= MOST_BYTES) return joined;
  const cut = joined.text.lastIndexOf("\n", joined.text.length - PIECE) + 1;
  return { ...joined, text: joined.text.slice(0, cut), to: joined.to - new TextEncoder().encode(joined.text.slice(cut)).length };
}
