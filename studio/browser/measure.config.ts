import { defineConfig } from "@playwright/test";
import own from "./playwright.config";

export default defineConfig({ ...own, testMatch: "measure.ts", timeout: 180_000 });
