import { measureImportance } from "./importance";
import type { Trial } from "./model";

self.onmessage = ({ data }: MessageEvent<Trial[]>) => postMessage(measureImportance(data));
