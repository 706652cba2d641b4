import { get } from "../api/client";
import type { WorkspaceApi } from "../api/workspace";
import type { NewStep } from "./changes";
import { makeFreeName, makeStepName } from "./changes";
import { isLiteral, type Interface } from "./ports";
import type { Value } from "./yaml/source";

/** What can be added to a pipeline. */
export interface PaletteItem {
  id: string;
  title: string;
  description: string;
  group: string;
  /** How a step names the component; null for a step written in place. */
  component: string | null;
  body: { [key: string]: Value };
  spec?: Interface;
}

export const COMPONENT_DRAG = "application/x-smalt-component";
export const BUILT_IN: PaletteItem[] = [
  {
    id: "command", title: "Command", description: "a command written in place", group: "In place", component: null,
    body: { type: "command", command: "echo hello", environment: "azureml:host@latest" },
  },
];

interface Container {
  name: string;
  properties: { latestVersion?: string; description?: string | null; tags?: Record<string, string> | null };
}
interface Version {
  name: string;
  properties: { description?: string | null; tags?: Record<string, string> | null; componentSpec: Interface };
}
interface Page<T> {
  value: T[];
  nextLink?: string;
}

/** The components of a workspace, the newest version of each. */
export async function listWorkspaceComponents(api: WorkspaceApi): Promise<PaletteItem[]> {
  const found = await listAll<Container>(`${api.workspace.id}/components`);
  return found.map(({ name, properties }) => makeItem(name, `azureml:${name}@latest`, "Workspace", properties));
}

function makeItem(name: string, component: string, group: string, properties: Container["properties"]): PaletteItem {
  const tags = properties.tags ?? {};
  return { id: component, title: tags.title ?? name, description: properties.description ?? "", group: tags.category ?? group, component, body: { component } };
}

/** Every registry's components, grouped by registry or by their tag `category`. */
export async function listRegistryComponents(api: WorkspaceApi): Promise<PaletteItem[]> {
  const [, subscription, , group] = api.workspace.id.split("/").slice(1);
  const base = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/registries`;
  const registries = await listAll<{ name: string }>(base);
  const lists = await Promise.all(registries.map(async ({ name }) => {
    const found = await listAll<Container>(`${base}/${encodeURIComponent(name)}/components`).catch(() => []);
    return found.map((one) => makeItem(one.name, `azureml://registries/${name}/components/${one.name}/labels/latest`, `Registry ${name}`, one.properties));
  }));
  return lists.flat();
}

async function listAll<T>(path: string): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined = path;
  while (next) {
    const page: Page<T> = await get<Page<T>>(next);
    found.push(...page.value);
    next = page.nextLink ? page.nextLink.replace(/^https?:\/\/[^/]+/, "") : undefined;
  }
  return found;
}

/** What a component takes and gives, for the values that a new step must have. */
export async function fetchInterface(api: WorkspaceApi, component: string): Promise<Interface | undefined> {
  const registry = /^azureml:\/\/registries\/([^/]+)\/components\/([^/]+)\/(?:labels|versions)\/([^/]+)$/.exec(component);
  const own = /^azureml:([\w.-]+)@([\w-]+)$/.exec(component);
  const [, subscription, , group] = api.workspace.id.split("/").slice(1);
  const path = registry
    ? `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/registries/${registry[1]}/components/${registry[2]}/labels/${registry[3]}`
    : own ? `${api.workspace.id}/components/${own[1]}/labels/${own[2]}` : null;
  return path ? (await get<Version>(path)).properties.componentSpec : undefined;
}

/** A new step of an item: its type, its component, and a place for each value that it must be given. */
export function makeStep(item: PaletteItem, spec: Interface | undefined, taken: ReadonlySet<string>): NewStep {
  const name = makeFreeName(makeStepName(item.component ? item.title : item.id), taken);
  const body: { [key: string]: Value } = item.component && spec?.type ? { type: spec.type, ...item.body } : { ...item.body };
  const needed = Object.entries(spec?.inputs ?? {}).filter(([, port]) => isLiteral(port.type) && !port.optional && port.default === undefined);
  if (needed.length) body.inputs = Object.fromEntries(needed.map(([port, { type, enum: choices, min }]) => [port, (choices?.[0] as Value) ?? (type === "boolean" ? false : type === "string" ? "" : Number(min ?? 0))]));
  return { name, body };
}

export function searchItems(items: PaletteItem[], text: string): PaletteItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ title, description, id, group }) => words.every((word) => `${title} ${description} ${id} ${group}`.toLowerCase().includes(word)));
}
