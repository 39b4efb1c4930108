import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  build: { outDir: 'build' },
  // For `npm run dev`: the same path as behind the CDN, answered by a backend on this machine.
  server: { proxy: { '/api': 'http://localhost:5000' } },
})
