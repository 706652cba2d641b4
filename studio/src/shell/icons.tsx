import type { ReactNode } from "react";

const PATHS = {
  jobs: <><path d="M3 5h18M3 12h18M3 19h12" /></>,
  search: <><circle cx="11" cy="11" r="7" /><path d="m20 20-3.6-3.6" /></>,
  sun: <><circle cx="12" cy="12" r="4" /><path d="M12 2v2m0 16v2M4.9 4.9l1.4 1.4m11.4 11.4 1.4 1.4M2 12h2m16 0h2M4.9 19.1l1.4-1.4m11.4-11.4 1.4-1.4" /></>,
  moon: <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />,
  screen: <><rect x="3" y="4" width="18" height="13" rx="2" /><path d="M8 21h8m-4-4v4" /></>,
  exit: <><path d="M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4" /><path d="m9 16-4-4 4-4M5 12h10" /></>,
  alert: <><circle cx="12" cy="12" r="9" /><path d="M12 7.5v5.5m0 3v.5" /></>,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  down: <path d="m6 9 6 6 6-6" />,
  right: <path d="m9 6 6 6-6 6" />,
  up: <path d="m6 15 6-6 6 6" />,
  filter: <path d="M4 6h16M7 12h10M10 18h4" />,
  group: <><rect x="3" y="4" width="18" height="6" rx="1.5" /><rect x="3" y="14" width="18" height="6" rx="1.5" /></>,
  archive: <><rect x="3" y="4" width="18" height="5" rx="1.5" /><path d="M5 9v9a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9M10 13h4" /></>,
  stop: <rect x="6" y="6" width="12" height="12" rx="2" />,
  rerun: <><path d="M4 12a8 8 0 1 1 2.5 5.8" /><path d="M4 19v-5h5" /></>,
  graph: <><rect x="8" y="3" width="8" height="5" rx="1.5" /><rect x="3" y="16" width="7" height="5" rx="1.5" /><rect x="14" y="16" width="7" height="5" rx="1.5" /><path d="M12 8v4M6.5 16v-2a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v2" /></>,
  time: <path d="M4 6h7M8 12h9M12 18h8" />,
  curve: <><path d="M4 4v16h16" /><path d="m7 15 4-5 3 3 5-7" /></>,
  file: <><path d="M6 3h8l4 4v12a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z" /><path d="M14 3v5h5" /></>,
  folder: <path d="M3 6a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V18a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z" />,
  info: <><circle cx="12" cy="12" r="9" /><path d="M12 11v5.5m0-9v.5" /></>,
  compare: <><circle cx="6" cy="6" r="2.5" /><circle cx="18" cy="18" r="2.5" /><path d="M18 15.5V9a3 3 0 0 0-3-3h-3m3-3-3 3 3 3M6 8.5V15a3 3 0 0 0 3 3h3m-3-3 3 3-3 3" /></>,
  copy: <><rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1" /></>,
  download: <path d="M12 4v11m-5-4.5 5 5 5-5M5 20h14" />,
  fit: <path d="M4 9V5a1 1 0 0 1 1-1h4m6 0h4a1 1 0 0 1 1 1v4m0 6v4a1 1 0 0 1-1 1h-4m-6 0H5a1 1 0 0 1-1-1v-4" />,
  plus: <path d="M12 5v14M5 12h14" />,
  minus: <path d="M5 12h14" />,
  designer: <><rect x="3" y="3" width="7" height="6" rx="1.5" /><rect x="14" y="15" width="7" height="6" rx="1.5" /><path d="M6.5 9v5a4 4 0 0 0 4 4H14" /></>,
  undo: <><path d="M9 5 4 10l5 5" /><path d="M4 10h10a6 6 0 0 1 0 12h-3" transform="translate(0 -2)" /></>,
  redo: <><path d="m15 5 5 5-5 5" /><path d="M20 10H10a6 6 0 0 0 0 12h3" transform="translate(0 -2)" /></>,
  trash: <path d="M4 7h16M9 7V5a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2m2 0-1 12a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1L7 7" />,
  play: <path d="M7 5v14l11-7z" />,
  reuse: <><path d="M17 3l4 4-4 4" /><path d="M21 7H8a5 5 0 0 0-5 5m4 9-4-4 4-4" /><path d="M3 17h13a5 5 0 0 0 5-5" /></>,
  data: <><ellipse cx="12" cy="5.5" rx="8" ry="2.8" /><path d="M4 5.5v13c0 1.6 3.6 2.8 8 2.8s8-1.2 8-2.8v-13M4 12c0 1.6 3.6 2.8 8 2.8s8-1.2 8-2.8" /></>,
  model: <><path d="m12 3 8 4.5v9L12 21l-8-4.5v-9z" /><path d="m4 7.5 8 4.5 8-4.5M12 12v9" /></>,
  component: <><rect x="4" y="8" width="16" height="8" rx="2" /><path d="M8 8V5m8 3V5M8 19v-3m8 3v-3" /></>,
  environment: <><path d="m12 3 9 5-9 5-9-5z" /><path d="m3 12.5 9 5 9-5M3 17l9 5 9-5" /></>,
  store: <><rect x="3" y="4" width="18" height="7" rx="2" /><rect x="3" y="13" width="18" height="7" rx="2" /><path d="M7 7.5h.01M7 16.5h.01" /></>,
  endpoint: <><circle cx="6" cy="12" r="3" /><path d="M9 12h11m-4-4 4 4-4 4" /></>,
  schedule: <><circle cx="12" cy="12" r="9" /><path d="M12 7v5l3.5 2" /></>,
  compute: <><rect x="6" y="6" width="12" height="12" rx="2" /><path d="M10 3v3m4-3v3m-4 12v3m4-3v3M3 10h3m-3 4h3m12-4h3m-3 4h3" /></>,
  disk: <><circle cx="12" cy="12" r="9" /><path d="M12 3v9l6.4 6.4" /></>,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.9" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {PATHS[name]}
    </svg>
  );
}
