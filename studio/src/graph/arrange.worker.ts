import type { JobGraph } from "../api/types";
import { arrange, type Openings } from "./model";

self.onmessage = ({ data }: MessageEvent<{ graph: JobGraph; open: Openings }>) => self.postMessage(arrange(data.graph, data.open));
