import { defineConfig } from "@playwright/test";
import own from "./playwright.config";

export default defineConfig({ ...own, testMatch: ["shots.ts", "asset_shots.ts"], timeout: 120_000 });
