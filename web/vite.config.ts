import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const GATEWAY = process.env.FORKAST_GATEWAY ?? "http://127.0.0.1:3001";
const PATHS = ["/orders", "/users", "/market", "/charts", "/fills", "/health", "/ready"];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: {
    host: "127.0.0.1",
    proxy: {
      ...Object.fromEntries(PATHS.map((path) => [path, GATEWAY])),
      "/socket.io": { target: GATEWAY, ws: true },
    },
  },
});
