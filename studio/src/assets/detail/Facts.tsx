import type { ReactNode } from "react";

export type Fact = [name: string, value: ReactNode];

/** Names and values; what has no value is left out. */
export function Facts({ facts }: { facts: Fact[] }) {
  const shown = facts.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  return <dl className="facts">{shown.map(([name, value]) => <div key={name} className="fact"><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Panel({ title, children }: { title: string; children: ReactNode }) {
  return <section className="card panel"><h2>{title}</h2>{children}</section>;
}
