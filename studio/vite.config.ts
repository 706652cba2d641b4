import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/studio/",
  plugins: [react()],
  build: {
    outDir: "../src/smalt/studio/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the pages' policy loads files of this server, and no data: scripts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  worker: {
    format: "es",
    // Its decompressors are functions; what its index does besides is load WebAssembly, which the pages' policy refuses.
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !id.includes("hyparquet-compressors") && !id.includes("hysnappy") } },
  },
  // A machine that runs other tests is slow: the default of 5 s is a measurement.
  test: { environment: "node", include: ["src/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
