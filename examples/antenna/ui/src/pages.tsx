import type { ReactNode } from 'react'
import { Link, useParams } from 'react-router'
import { type Answer, type Page, type Project, useApi } from './api'

function Loaded<T>({ answer, children }: { answer: Answer<T>; children: (value: T) => ReactNode }) {
  if (answer.state === 'loading') return <p className="quiet">Loading…</p>
  if (answer.state === 'failed')
    return (
      <p role="alert" className="alert">
        {answer.reason}
      </p>
    )
  return children(answer.value)
}

export function Projects() {
  const answer = useApi<Page<Project>>('projects/')
  return (
    <>
      <h1>Projects</h1>
      <p className="quiet">Who watches what, where the lamps are lit.</p>
      <Loaded answer={answer}>
        {(page) => (
          <ul className="cards" data-testid="projects">
            {page.results.map((project) => (
              <li key={project.id}>
                <Link to={`/projects/${project.id}`}>
                  <h2>{project.name}</h2>
                  <p>{project.description}</p>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </>
  )
}

export function ProjectPage() {
  const { id } = useParams()
  const answer = useApi<Project>(`projects/${encodeURIComponent(id ?? '')}/`)
  return (
    <>
      <p>
        <Link to="/">← All projects</Link>
      </p>
      <Loaded answer={answer}>
        {(project) => (
          <article>
            <h1>{project.name}</h1>
            <p>{project.description}</p>
            <p className="quiet">Since {new Date(project.created_at).toLocaleDateString('en', { dateStyle: 'long' })}</p>
          </article>
        )}
      </Loaded>
    </>
  )
}

export function NotFound() {
  return (
    <>
      <h1>Nothing here</h1>
      <p>
        There is no such page. <Link to="/">All projects</Link>
      </p>
    </>
  )
}
