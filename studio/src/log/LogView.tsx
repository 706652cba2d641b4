import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { ApiError, request } from "../api/client";
import { Icon } from "../shell/icons";
import { Empty, ErrorMessage } from "../shell/messages";
import { formatBytes } from "../text/format";
import { parseColours } from "./ansi";
import { append, load, prepend, type Loaded } from "./loaded";
import { readBefore, readEnd, readFrom, splitLines } from "./tail";
import { describeSearch, useLogSearch, type SearchLog } from "./useLogSearch";
import "./log.css";

const POLL = 1000;
const LINE_HEIGHT = 19;
/** A log that grows is searched again as it does, while it is not larger than that. */
const SEARCHED_AGAIN = 16_000_000;

interface Props {
  url: string;
  isGrowing: boolean;
  name: string;
  search: SearchLog;
}

/** A log, opened at its end; it follows while it grows, and earlier pieces are loaded as they are scrolled to. */
export function LogView({ url, isGrowing, name, search }: Props) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isFollowing, setFollowing] = useState(true);
  const [text, setText] = useState("");
  const [hit, setHit] = useState(-1);
  const scroller = useRef<HTMLDivElement>(null);
  const busy = useRef(false);
  const grew = useRef(isGrowing);
  /** The log has ended while a read was under way, which may have missed its end. */
  const isLastDue = useRef(false);
  const fetchRange = useCallback(
    (range: string) => request(url, { headers: { range } }).catch((caught: unknown) => {
      if (caught instanceof ApiError && caught.status === 416) return new Response(null, { status: 416 });
      throw caught;
    }),
    [url],
  );
  const jumpToEnd = useCallback(() => run(async () => setLoaded(load(await readEnd(fetchRange)))), [fetchRange]);

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
      if (isLastDue.current) {
        isLastDue.current = false;
        void readOn();
      }
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
      if (!before) return setLoaded(load(await readEnd(fetchRange)));
      const more = await readFrom(fetchRange, before.to);
      if (more.to > before.to) setLoaded(append(before, more));
    }),
    [fetchRange],
  );
  useEffect(() => {
    if (!isGrowing) {
      isLastDue.current = grew.current && busy.current;
      if (grew.current) void readOn();
      grew.current = false;
      return;
    }
    grew.current = true;
    const timer = setInterval(readOn, POLL);
    return () => clearInterval(timer);
  }, [isGrowing, readOn]);

  const lines = useMemo(() => splitLines(loaded?.text ?? ""), [loaded]);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => LINE_HEIGHT, overscan: 30 });
  const searched = useLogSearch(search, text, isGrowing && loaded && loaded.size < SEARCHED_AGAIN ? loaded.size : 0);
  const current = hit >= 0 && loaded && loaded.firstLine !== null && searched.matches[hit] ? searched.matches[hit].line - loaded.firstLine : -1;

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

  async function goToHit(step: number) {
    const { matches } = searched;
    if (!matches.length) return;
    const next = (Math.max(hit, step > 0 ? -1 : 0) + step + matches.length) % matches.length;
    setHit(next);
    setFollowing(false);
    const { line, at } = matches[next];
    const known = latest.current;
    const place = known?.firstLine === null || !known ? -1 : line - known.firstLine;
    if (place >= 0 && place < lines.length) return virtual.scrollToIndex(place, { align: "center" });
    await run(async () => {
      const after = await readFrom(fetchRange, at);
      const around = at > 0 ? prepend(await readBefore(fetchRange, at), load(after, line)) : load(after);
      setLoaded(around);
      requestAnimationFrame(() => virtual.scrollToIndex(line - around.firstLine!, { align: "center" }));
    });
  }

  if (error instanceof ApiError && error.status === 404) return <Empty icon="file" title={isGrowing ? "Nothing is written yet" : "It wrote no log"} />;
  if (error && !loaded) return <ErrorMessage error={error} retry={jumpToEnd} />;
  return (
    <div className="log">
      <div className="log-bar">
        <label className="search-field">
          <Icon name="search" />
          <span className="visually-hidden">Search the whole log</span>
          <input className="field" type="search" placeholder="Search the whole log" value={text} onChange={(event) => { setText(event.target.value); setHit(-1); }} onKeyDown={(event) => event.key === "Enter" && void goToHit(event.shiftKey ? -1 : 1)} />
        </label>
        {text && (
          <>
            <span className={searched.error ? "error-text" : "muted number"} role="status">{searched.error ? searched.error.message : describeSearch(searched, hit)}</span>
            <button className="button small icon" aria-label="Match before" disabled={!searched.matches.length} onClick={() => void goToHit(-1)}><Icon name="up" size={14} /></button>
            <button className="button small icon" aria-label="Next match" disabled={!searched.matches.length} onClick={() => void goToHit(1)}><Icon name="down" size={14} /></button>
          </>
        )}
        <span className="space" />
        {loaded && <span className="muted number">{formatBytes(loaded.size)}</span>}
        <button className="button small" onClick={() => run(async () => { setFollowing(false); setLoaded(load(await readFrom(fetchRange, 0))); scroller.current?.scrollTo(0, 0); })}>Beginning</button>
        <button className="button small" aria-pressed={isFollowing} onClick={() => { setFollowing(true); void jumpToEnd(); }}>{isGrowing ? "Follow" : "End"}</button>
        <a className="button small icon" href={url} download={name} aria-label="Download the log"><Icon name="download" size={14} /></a>
      </div>
      <div className="log-lines" ref={scroller} onScroll={scroll} tabIndex={0} role="log" aria-label={`Log ${name}`} aria-live="off">
        {loaded && loaded.from > 0 && <button className="button small quiet earlier" onClick={loadEarlier}>{formatBytes(loaded.from)} before this</button>}
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <div key={item.key} ref={virtual.measureElement} data-index={item.index} className={text && lines[item.index].toLowerCase().includes(text.toLowerCase()) ? "log-line hit" : "log-line"} data-current={current === item.index || undefined} style={{ transform: `translateY(${item.start}px)` }}>
              {parseColours(lines[item.index]).map((span, k) => <span key={k} className={[span.colour && `ansi-${span.colour}`, span.isBold && "bold"].filter(Boolean).join(" ") || undefined}>{span.text || "\u200b"}</span>)}
            </div>
          ))}
        </div>
        {loaded && !lines.length && <p className="muted">{isGrowing ? "Nothing is written yet." : "It wrote nothing."}</p>}
      </div>
    </div>
  );
}
