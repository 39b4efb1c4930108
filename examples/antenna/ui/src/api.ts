import { useEffect, useState } from 'react'

export interface Project {
  id: number
  name: string
  description: string
  created_at: string
}

export interface Page<T> {
  count: number
  results: T[]
}

export interface Status {
  release: string
  heartbeat: string | null
  processing_service_online: boolean | null
}

export type Answer<T> =
  | { state: 'loading' }
  | { state: 'failed'; reason: string }
  | { state: 'here'; value: T }

async function read<T>(path: string, signal: AbortSignal): Promise<T> {
  // Relative: one domain serves the UI and the API.
  const response = await fetch(`/api/v2/${path}`, { signal, headers: { Accept: 'application/json' } })
  if (!response.ok) throw new Error(`The API answered ${response.status} for ${path}`)
  return (await response.json()) as T
}

/** Reads a path of the API, and again every `everyMs` milliseconds where given. */
export function useApi<T>(path: string, everyMs?: number): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ state: 'loading' })

  useEffect(() => {
    const abort = new AbortController()
    const load = () =>
      read<T>(path, abort.signal).then(
        (value) => setAnswer({ state: 'here', value }),
        (error: unknown) => {
          if (!abort.signal.aborted) setAnswer({ state: 'failed', reason: String((error as Error).message) })
        },
      )
    void load()
    const timer = everyMs === undefined ? undefined : setInterval(load, everyMs)
    return () => {
      abort.abort()
      clearInterval(timer)
    }
  }, [path, everyMs])

  return answer
}
