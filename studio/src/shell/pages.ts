import type { ComponentType } from "react";
import type { IconName } from "./icons";
import { lazy } from "./lazyPart";
import type { Place } from "./router";

/** A page of the studio: the first part of its address below the workspace, and what draws it.
 *
 * A page is loaded when it is first opened. One without a label is not in the navigation. */
export interface Page {
  path: string;
  label?: string;
  icon?: IconName;
  /** The command of the palette that opens it; by default of a page with a label "Open …". */
  command?: string;
  matches: (place: Place) => boolean;
  Component: ComponentType & { preload?: () => Promise<void> };
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
    path: "designer",
    label: "Designer",
    icon: "designer",
    matches: ({ page }) => page === "designer",
    Component: lazy(() => import("../designer/DesignerPage")),
  },
  {
    path: "job",
    matches: ({ page, rest }) => page === "jobs" && rest.length === 1,
    Component: lazy(() => import("../job/JobPage")),
  },
  {
    path: "data",
    label: "Data",
    icon: "data",
    matches: ({ page, rest }) => page === "data" && rest.length <= 2,
    Component: lazy(() => import("../assets/data/DataPages")),
  },
  {
    path: "models",
    label: "Models",
    icon: "model",
    matches: ({ page, rest }) => page === "models" && rest.length <= 2,
    Component: lazy(() => import("../assets/models/ModelPages")),
  },
  {
    path: "components",
    label: "Components",
    icon: "component",
    matches: ({ page, rest }) => page === "components" && rest.length <= 2,
    Component: lazy(() => import("../assets/components/ComponentPages")),
  },
  {
    path: "environments",
    label: "Environments",
    icon: "environment",
    matches: ({ page, rest }) => page === "environments" && rest.length <= 2,
    Component: lazy(() => import("../assets/environments/EnvironmentPages")),
  },
  {
    path: "datastores",
    label: "Datastores",
    icon: "store",
    matches: ({ page, rest }) => page === "datastores" && rest.length <= 1,
    Component: lazy(() => import("../assets/datastores/DatastorePages")),
  },
  {
    path: "endpoints",
    label: "Endpoints",
    icon: "endpoint",
    matches: ({ page, rest }) => page === "endpoints" && (!rest.length || (rest.length === 2 && (rest[0] === "online" || rest[0] === "batch"))),
    Component: lazy(() => import("../assets/endpoints/EndpointPages")),
  },
  {
    path: "schedules",
    label: "Schedules",
    icon: "schedule",
    matches: ({ page, rest }) => page === "schedules" && rest.length <= 1,
    Component: lazy(() => import("../assets/schedules/SchedulePages")),
  },
  {
    path: "computes",
    label: "Computes",
    icon: "compute",
    matches: ({ page, rest }) => page === "computes" && rest.length <= 1,
    Component: lazy(() => import("../assets/computes/ComputePages")),
  },
  {
    path: "disk",
    label: "Disk",
    icon: "disk",
    matches: ({ page, rest }) => page === "disk" && !rest.length,
    Component: lazy(() => import("../assets/disk/DiskPage")),
  },
  {
    path: "compare",
    command: "Compare jobs",
    matches: ({ page }) => page === "compare",
    Component: lazy(() => import("../compare/ComparePage")),
  },
];
