import { get } from "../api/client";
import type { WorkspaceApi } from "../api/workspace";
import { listAssets } from "../api/resources";
import type { DataItem } from "./pipeline/data";
import type { NewStep } from "./pipeline/changes";
import { makeFreeName, makeStepName } from "./pipeline/changes";
import { makeStarter, type Starter } from "./pipeline/starters";
import { isLiteral, type Interface, type PortSpec } from "./pipeline/ports";
import type { Value } from "./yaml/source";

/** What can be added to a pipeline. */
export interface PaletteItem {
  id: string;
  title: string;
  description: string;
  group: string;
  /** Where it is from, in words. */
  origin: string;
  /** How a step names the component; null for a step written in place. */
  component: string | null;
  body: { [key: string]: Value };
  spec?: Interface;
  /** What makes the steps of an item that is no single step. */
  starter?: Starter;
}

export const COMPONENT_DRAG = "application/x-smalt-component";
export const BUILT_IN: PaletteItem[] = [
  {
    id: "command", title: "Command", description: "a command written in place", group: "In place", origin: "", component: null,
    body: { type: "command", command: "echo hello", environment: "azureml:host@latest" },
  },
  {
    id: "nested", title: "Pipeline", description: "a pipeline within this one, with steps of its own", group: "In place", origin: "", component: null,
    body: { type: "pipeline", component: { type: "pipeline", jobs: { command: { type: "command", command: "echo hello", environment: "azureml:host@latest" } } } },
  },
  { id: "sweep", title: "Sweep", description: "a command that is tried with many values of its inputs; dropped on a step, that step becomes the sweep", group: "In place", origin: "", component: null, body: {}, starter: "sweep" },
  { id: "parallel", title: "Parallel", description: "a script that runs in several processes over the files or rows of its data", group: "In place", origin: "", component: null, body: {}, starter: "parallel" },
  { id: "for each", title: "For each", description: "a loop that runs a step for each of several items; dropped on a step, it runs that", group: "Loops and conditions", origin: "", component: null, body: {}, starter: "parallel_for" },
  { id: "do while", title: "Do while", description: "a loop that repeats a step while an output of it is true; dropped on a step, it repeats that", group: "Loops and conditions", origin: "", component: null, body: {}, starter: "do_while" },
  { id: "if else condition", title: "Condition", description: "runs one step or another, by an output that is true or false; dropped on a step, it runs that if it is true", group: "Loops and conditions", origin: "", component: null, body: {}, starter: "if_else" },
];

interface Row extends Omit<Interface, "file"> {
  component: string;
  name: string;
  registry: string | null;
  file: string | null;
  title: string;
  category: string | null;
}

/** The components of the workspace and of the registries, in groups: by category, else by where they are. */
export async function listComponents(api: WorkspaceApi, folder: string | null): Promise<PaletteItem[]> {
  const { value } = await get<{ value: Row[] }>(`${api.own}/documents/components${folder === null ? "" : `?folder=${encodeURIComponent(folder)}`}`);
  return value.map(({ component, registry, file, title, category, description, ...spec }) => ({
    id: component, title, description: description ?? "", component, spec: withoutNulls({ ...spec, description, display_name: title, ...(file ? { file } : {}) }),
    group: file ? "Files" : (category ?? (registry ? `Registry ${registry}` : "Workspace")), origin: file ? "file" : registry ? `registry ${registry}` : "workspace", body: { component },
  }));
}

function withoutNulls<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as T;
}

export const DATA_DRAG = "application/x-smalt-data";

/** The newest data assets whose names, descriptions or tags have a text, and how many there are. */
export async function listData(api: WorkspaceApi, text: string): Promise<{ items: DataItem[]; total: number }> {
  const query = new URLSearchParams({ limit: String(text ? MAX_FOUND : MAX_SHOWN), sort: "-modified", view: "active" });
  if (text.trim()) query.set("search", text.trim());
  const { assets, total } = await listAssets(api, "data", query);
  return { items: assets.map(({ name, type }) => ({ name, type: type ?? "uri_folder", path: `azureml:${name}@latest` })), total };
}

const MAX_SHOWN = 8;
const MAX_FOUND = 50;

/** The new steps of an item: the first is the one to be looked at next. */
export const makeSteps = (item: PaletteItem, taken: ReadonlySet<string>): NewStep[] => (item.starter ? makeStarter(item.starter, taken) : [makeStep(item, taken)]);

/** A text that may be anything: only its writer knows it, and until then it is missing. */
const isFreeText = ({ type, enum: choices }: PortSpec): boolean => type?.toLowerCase() === "string" && !choices?.length;

/** A new step of an item: its type, its component, and a place for each value that it must be given. */
function makeStep(item: PaletteItem, taken: ReadonlySet<string>): NewStep {
  const { spec } = item;
  const name = makeFreeName(makeStepName(item.component ? item.title : item.id), taken);
  const body: { [key: string]: Value } = item.component && spec?.type ? { type: spec.type, ...item.body } : { ...item.body };
  const needed = Object.entries(spec?.inputs ?? {}).filter(([, port]) => isLiteral(port.type) && !port.optional && port.default === undefined && !isFreeText(port));
  if (needed.length) body.inputs = Object.fromEntries(needed.map(([port, { type, enum: choices, min }]) => [port, (choices?.[0] as Value) ?? (type?.toLowerCase() === "boolean" ? false : Number(min ?? 0))]));
  return { name, body };
}

/** The items that have all words of a text, those first whose titles are most like it. */
export function searchItems(items: PaletteItem[], text: string): PaletteItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter(({ title, description, id, group }) => words.every((word) => `${title} ${description} ${id} ${group}`.toLowerCase().includes(word)));
  if (!words.length) return found;
  const ranks = new Map(found.map((item) => [item, rankTitle(item.title.toLowerCase(), words)]));
  return found.sort((a, b) => ranks.get(a)! - ranks.get(b)!);
}

function rankTitle(title: string, words: string[]): number {
  const phrase = words.join(" ");
  if (title === phrase) return 0;
  if (title.startsWith(phrase)) return 1;
  if (title.includes(phrase)) return 2;
  return words.every((word) => title.includes(word)) ? 3 : 4;
}
