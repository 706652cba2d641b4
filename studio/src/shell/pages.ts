import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { IconName } from "./icons";
import type { Place } from "./router";

/** A page of the studio: the first part of its address below the workspace, and what draws it.
 *
 * A page is loaded when it is first opened. One without a label is not in the navigation. */
export interface Page {
  path: string;
  label?: string;
  icon?: IconName;
  matches: (place: Place) => boolean;
  Component: LazyExoticComponent<ComponentType> | ComponentType;
}

export const PAGES: Page[] = [
  {
    path: "jobs",
    label: "Jobs",
    icon: "jobs",
    matches: ({ page, rest }) => page === "jobs" && rest.length === 0,
    Component: lazy(() => import("../jobs/JobsPage")),
  },
  {
    path: "job",
    matches: ({ page, rest }) => page === "jobs" && rest.length === 1,
    Component: lazy(() => import("../job/JobPage")),
  },
];
