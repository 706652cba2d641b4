import { useEffect, useState, type ReactNode } from "react";
import { Menu } from "../../jobs/Menu";
import { Icon, type IconName } from "../../shell/icons";
import { Empty, ErrorMessage, Loading } from "../../shell/messages";
import { setQuery } from "../../shell/router";
import { formatCount, pluralize } from "../../text/format";
import { countPages, isFiltered, PAGE_SIZE, type ListQuery } from "./query";
import "../../jobs/jobs.css";
import "../assets.css";

const PAUSE = 150;

interface Props {
  title: string;
  /** One of the items, in words. */
  noun: string;
  list: ListQuery;
  total: number | undefined;
  error: Error | null;
  retry: () => void;
  types?: Record<string, number>;
  /** True if items can be archived. */
  hasArchive?: boolean;
  actions?: ReactNode;
  /** What an empty list says. */
  empty: ReactNode;
  icon: IconName;
  children: ReactNode;
}

/** A list of assets or resources: its filter, its table, its pages. */
export function ListPage({ title, noun, list, total, error, retry, types, hasArchive = false, actions, empty, icon, children }: Props) {
  useEffect(() => {
    document.title = `${title} · smalt`;
  }, [title]);
  return (
    <div className="jobs-page asset-list">
      <header className="page-head">
        <h1>{title}</h1>
        {total !== undefined && <span className="muted number" role="status">{pluralize(total, noun)}</span>}
        <span className="space" />
        {actions}
      </header>
      <div className="filter-bar">
        <SearchField text={list.search} noun={noun} />
        {types && Object.keys(types).length > 0 && <TypeMenu types={types} chosen={list.type} />}
        {hasArchive && (
          <select className="field" aria-label="Archived" value={list.view} onChange={(event) => setQuery({ view: event.target.value === "active" ? null : event.target.value, page: null })}>
            <option value="active">Without archived</option>
            <option value="archived">Archived only</option>
            <option value="all">With archived</option>
          </select>
        )}
      </div>
      {error && <ErrorMessage error={error} retry={retry} />}
      {total === undefined ? !error && <Loading what={title} /> : total === 0 ? (
        isFiltered(list) ? (
          <Empty icon="filter" title={`No ${noun} matches`}>
            <p>Others are there; the filter leaves them all out.</p>
            <button className="button" onClick={() => setQuery({ search: null, type: null, page: null })}>Clear the filter</button>
          </Empty>
        ) : list.view === "archived" ? <Empty icon="archive" title={`No ${noun} is archived`} /> : <Empty icon={icon} title={`No ${noun} yet`}>{empty}</Empty>
      ) : (
        <>
          {children}
          <Pager page={list.page} total={total} />
        </>
      )}
    </div>
  );
}

function SearchField({ text: given, noun }: { text: string; noun: string }) {
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  useEffect(() => {
    if (text === given) return;
    const timer = setTimeout(() => setQuery({ search: text || null, page: null }, { replace: true }), PAUSE);
    return () => clearTimeout(timer);
  }, [text, given]);
  return (
    <label className="search-field">
      <Icon name="search" />
      <span className="visually-hidden">Search for {/^[aeiou]/i.test(noun) ? "an" : "a"} {noun}</span>
      <input className="field" type="search" value={text} placeholder="Search" onChange={(event) => setText(event.target.value)} />
    </label>
  );
}

function TypeMenu({ types, chosen }: { types: Record<string, number>; chosen: string[] }) {
  const known = [...new Set([...Object.keys(types), ...chosen])];
  const turn = (type: string) => setQuery({ type: chosen.includes(type) ? chosen.filter((one) => one !== type) : [...chosen, type], page: null });
  return (
    <Menu label="Type" count={chosen.length}>
      {() => (
        <fieldset>
          <legend className="visually-hidden">Type</legend>
          {known.map((type) => (
            <label key={type} className="choice">
              <input type="checkbox" checked={chosen.includes(type)} onChange={() => turn(type)} />
              <span className="value">{type.replaceAll("_", " ")}</span>
              <span className="muted number">{formatCount(types[type] ?? 0)}</span>
            </label>
          ))}
        </fieldset>
      )}
    </Menu>
  );
}

function Pager({ page, total }: { page: number; total: number }) {
  const pages = countPages(total);
  if (pages === 1 && page === 1) return null;
  const turn = (to: number) => setQuery({ page: to === 1 ? null : String(to) });
  const first = (page - 1) * PAGE_SIZE + 1;
  return (
    <nav className="pager" aria-label="Pages">
      <button className="button small" disabled={page <= 1} onClick={() => turn(Math.min(page - 1, pages))}>Previous</button>
      <span className="muted number">{first > total ? `none of ${formatCount(total)}` : `${formatCount(first)}–${formatCount(Math.min(total, page * PAGE_SIZE))} of ${formatCount(total)}`}</span>
      <button className="button small" disabled={page >= pages} onClick={() => turn(page + 1)}>Next</button>
    </nav>
  );
}
