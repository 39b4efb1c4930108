import { Link, Outlet } from 'react-router'
import { type Answer, type Status, useApi } from './api'
import { RELEASE } from './release'

const STALE_AFTER = 60_000 // milliseconds without a sign of life from the worker

export function Layout() {
  const status = useApi<Status>('status/', 10_000)
  return (
    <>
      <header>
        <Link to="/" className="brand">
          <img src="/favicon.svg" alt="" width="40" height="40" />
          Antenna
        </Link>
        <span className="release" data-testid="ui-release">
          Release {RELEASE}
        </span>
      </header>
      <main>
        <Outlet />
      </main>
      <footer>
        <Worker status={status} />
        {status.state === 'here' && <span data-testid="api-release">API release {status.value.release}</span>}
      </footer>
    </>
  )
}

function Worker({ status }: { status: Answer<Status> }) {
  const [tone, words] = describe(status)
  return (
    <span data-testid="worker">
      <i className={`light ${tone}`} /> {words}
    </span>
  )
}

function describe(status: Answer<Status>): [tone: string, words: string] {
  if (status.state === 'loading') return ['waiting', 'Asking for the worker…']
  if (status.state === 'failed') return ['bad', 'The status of the worker is unknown']
  const { heartbeat, processing_service_online: service } = status.value
  if (heartbeat === null) return ['waiting', 'The worker has not reported yet']
  if (Date.now() - Date.parse(heartbeat) > STALE_AFTER)
    return ['bad', `The worker last reported at ${new Date(heartbeat).toLocaleTimeString()}`]
  if (service === false) return ['waiting', 'The worker is running; the processing service does not answer']
  return ['good', 'The worker is running']
}
