import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export default defineConfig({
  testDir: ".",
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 60_000 }, // a machine that runs other tests is slow: these guard against hanging, and measure nothing
  reporter: "list",
  outputDir: "../test-results",
  use: {
    viewport: { width: 1280, height: 720 },
    trace: "off",
    // As root and in containers Chromium needs --no-sandbox, and /dev/shm is small there.
    launchOptions: {
      executablePath: process.env.STUDIO_CHROMIUM ?? CHROMIUM.find(existsSync),
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
});
