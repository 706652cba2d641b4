/** What a list of assets shows. The address is the filter. */
export interface ListQuery {
  search: string;
  type: string[];
  view: "active" | "archived" | "all";
  sort: string;
  page: number;
}

export const PAGE_SIZE = 50;
export const DEFAULT_SORT = "-modified";
const VIEWS = ["active", "archived", "all"] as const;

export function readListQuery(query: URLSearchParams): ListQuery {
  const page = Number(query.get("page") ?? 1);
  return {
    search: query.get("search") ?? "",
    type: query.getAll("type"),
    view: VIEWS.find((one) => one === query.get("view")) ?? "active",
    sort: query.get("sort") ?? DEFAULT_SORT,
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** The server's query for what a list shows. */
export function buildListQuery(list: ListQuery): URLSearchParams {
  const query = new URLSearchParams({ skip: String((list.page - 1) * PAGE_SIZE), limit: String(PAGE_SIZE), sort: list.sort, view: list.view });
  if (list.search.trim()) query.set("search", list.search.trim());
  for (const type of list.type) query.append("type", type);
  return query;
}

export const isFiltered = (list: ListQuery): boolean => list.search.trim() !== "" || list.type.length > 0;

export const countPages = (total: number): number => Math.max(1, Math.ceil(total / PAGE_SIZE));

/** The sort after a click on a column: descending first for times and counts, ascending for texts; then the other way. */
export function turnSort(current: string, key: string): string {
  if (current === key) return `-${key}`;
  if (current === `-${key}`) return key;
  return ["created", "modified", "versions"].includes(key) ? `-${key}` : key;
}

/** The items whose texts have all words of a search, for lists that are loaded whole. */
export function findMatching<Item>(items: Item[], search: string, getText: (item: Item) => string): Item[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    const text = getText(item).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function takePage<Item>(items: Item[], page: number): Item[] {
  return items.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
}
