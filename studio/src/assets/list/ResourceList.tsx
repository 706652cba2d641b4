import type { ReactNode } from "react";
import type { Query } from "../../api/useQuery";
import { usePlace } from "../../shell/router";
import type { IconName } from "../../shell/icons";
import { ListPage } from "./ListPage";
import { ListTable, type Column } from "./ListTable";
import { findMatching, readListQuery, takePage } from "./query";

interface Props<Item> {
  title: string;
  noun: string;
  icon: IconName;
  found: Query<Item[]>;
  columns: Column<Item>[];
  getKey: (item: Item) => string;
  getText: (item: Item) => string;
  actions?: ReactNode;
  empty: ReactNode;
}

/** A list of resources that is loaded whole: a workspace has few of them. */
export function ResourceList<Item>({ title, noun, icon, found, columns, getKey, getText, actions, empty }: Props<Item>) {
  const { query } = usePlace();
  const list = readListQuery(query);
  const items = found.data && findMatching(found.data, list.search, getText);
  return (
    <ListPage title={title} noun={noun} icon={icon} list={list} total={items?.length} error={found.error} retry={found.reload} actions={actions} empty={empty}>
      <ListTable label={title} columns={columns} rows={takePage(items ?? [], list.page)} getKey={getKey} />
    </ListPage>
  );
}
