import type { Core } from './core.ts'
import type { Stop } from './live-client.ts'
import type { TabMessage, TabPlatform } from './tab-channel.ts'
import type { TopicFrom } from './topics.ts'

/** The topics that the leader watches for other tabs. They end with their tab. */
export class TabGuests {
  private readonly tabs = new Map<string, Map<string, Stop>>()
  private readonly stopped = new AbortController()

  /** @param lockOf the name of the lock that a tab holds as long as it lives */
  constructor(
    private readonly core: Core,
    private readonly locks: TabPlatform['locks'],
    private readonly lockOf: (tab: string) => string,
    private readonly post: (message: TabMessage) => void,
  ) {}

  open(tab: string, topic: string, at: TopicFrom, id: number): void {
    const topics = this.topicsOf(tab)
    topics.get(topic)?.()
    this.post({ kind: 'acknowledged', to: tab, topic, id })
    const isAgent = topic.startsWith('agent:')
    const stop = this.core.topics.watch(
      topic,
      (state) =>
        this.post(
          isAgent ? { kind: 'agent', to: tab, frame: state } : { kind: 'state', to: tab, topic, state },
        ),
      {
        ...(at.agentSeq !== undefined && { agentSeq: at.agentSeq }),
        ...(at.logPosition !== undefined && {
          logPosition: at.logPosition,
          onLog: (line) => this.post({ kind: 'log', to: tab, topic, line }),
        }),
        onError: (error) => {
          topics.delete(topic)
          this.post({ kind: 'ended', to: tab, topic, error })
        },
      },
    )
    topics.set(topic, stop)
  }

  close(tab: string, topic: string): void {
    const topics = this.tabs.get(tab)
    topics?.get(topic)?.()
    topics?.delete(topic)
  }

  stop(): void {
    this.stopped.abort()
    for (const tab of [...this.tabs.keys()]) this.leave(tab)
  }

  private topicsOf(tab: string): Map<string, Stop> {
    const known = this.tabs.get(tab)
    if (known) return known
    const topics = new Map<string, Stop>()
    this.tabs.set(tab, topics)
    this.locks
      .request(this.lockOf(tab), { signal: this.stopped.signal }, async () => this.leave(tab))
      .catch(() => {})
    return topics
  }

  private leave(tab: string): void {
    for (const stop of this.tabs.get(tab)?.values() ?? []) stop()
    this.tabs.delete(tab)
  }
}
