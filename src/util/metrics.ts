/**
 * Metrics in the text formats of Prometheus. Whoever counts finds its cell once and adds to a number, so that counting costs
 * nothing worth measuring, and a scrape only joins texts.
 */

/** A number that somebody counts up. */
export interface Cell {
  value: number
}

/** How often values fell below each bound. */
export interface Distribution {
  observe(value: number): void
}

/** `prometheus` is the text format 0.0.4, `openmetrics` that of OpenMetrics 1.0. */
export type Format = 'prometheus' | 'openmetrics'

/** What a gauge reads: one value, values with those of its labels, or nothing. */
export type Reading = number | undefined | Iterable<readonly [labels: readonly string[], value: number]>

interface Family {
  readonly name: string
  readonly labels: readonly string[]
  /** Lines of the family, each with its end. */
  render(format: Format): string
}

const HELP_ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n' }
const VALUE_ESCAPES: Record<string, string> = { ...HELP_ESCAPES, '"': '\\"' }

function head(name: string, type: 'counter' | 'gauge' | 'histogram', help: string, format: Format): string {
  // OpenMetrics names the family of a counter without the end of its name.
  const family = type === 'counter' && format === 'openmetrics' ? name.replace(/_total$/, '') : name
  const text = help.replace(/[\\\n]/g, (char) => HELP_ESCAPES[char]!)
  return `# HELP ${family} ${text}\n# TYPE ${family} ${type}\n`
}

/** `a="1",b="2"` */
const labelsText = (names: readonly string[], values: readonly string[]): string =>
  names
    .map((name, i) => `${name}="${(values[i] ?? '').replace(/[\\\n"]/g, (char) => VALUE_ESCAPES[char]!)}"`)
    .join(',')

const braced = (labels: string): string => labels && `{${labels}}`

/** Whole bounds are written as `1.0`, so that both formats name the same series. */
const boundText = (bound: number): string => (Number.isInteger(bound) ? `${bound}.0` : String(bound))

const numberText = (value: number): string =>
  Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'

/** A family of which each label's values have a cell of their own, made when they are first asked for. */
abstract class Cells<C> {
  /** By the text of the labels. */
  protected readonly cells = new Map<string, C>()

  constructor(
    readonly name: string,
    protected readonly help: string,
    readonly labels: readonly string[],
  ) {}

  protected abstract make(): C

  /** The cell of these values of the labels. Keep it where it is used often. */
  of(...values: string[]): C {
    return this.cells.getOrInsertComputed(labelsText(this.labels, values), () => this.make())
  }
}

/** Only grows. Its name ends with `_total`. */
export class Counter extends Cells<Cell> implements Family {
  /** Of all values of the labels. */
  get total(): number {
    let total = 0
    for (const { value } of this.cells.values()) total += value
    return total
  }

  protected make(): Cell {
    return { value: 0 }
  }

  render(format: Format): string {
    const { name, help } = this
    let text = head(name, 'counter', help, format)
    for (const [labels, { value }] of this.cells) text += `${name}${braced(labels)} ${numberText(value)}\n`
    return text
  }
}

class Buckets implements Distribution {
  readonly counts: Float64Array
  sum = 0

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    counts[at]!++
    this.sum += value
  }
}

export class Histogram extends Cells<Buckets> implements Family {
  constructor(
    name: string,
    help: string,
    labels: readonly string[],
    /** Ascending. */
    private readonly bounds: readonly number[],
  ) {
    super(name, help, labels)
  }

  protected make(): Buckets {
    return new Buckets(this.bounds)
  }

  render(format: Format): string {
    const { name, bounds } = this
    let text = head(name, 'histogram', this.help, format)
    for (const [labels, { counts, sum }] of this.cells) {
      const before = labels && `${labels},`
      let total = 0
      for (const [i, count] of counts.entries()) {
        total += count
        const bound = i < bounds.length ? boundText(bounds[i]!) : '+Inf'
        text += `${name}_bucket{${before}le="${bound}"} ${total}\n`
      }
      text += `${name}_sum${braced(labels)} ${numberText(sum)}\n${name}_count${braced(labels)} ${total}\n`
    }
    return text
  }
}

class Gauge implements Family {
  constructor(
    readonly name: string,
    private readonly type: 'gauge' | 'counter',
    private readonly help: string,
    readonly labels: readonly string[],
    private readonly read: () => Reading,
  ) {}

  render(format: Format): string {
    const { name, labels } = this
    let text = head(name, this.type, this.help, format)
    const reading = this.read()
    if (reading === undefined) return text
    if (typeof reading === 'number') return `${text}${name} ${numberText(reading)}\n`
    for (const [values, value] of reading)
      text += `${name}${braced(labelsText(labels, values))} ${numberText(value)}\n`
    return text
  }
}

/** Every metric of one server. */
export class Registry {
  private readonly families = new Map<string, Family>()

  counter(name: `${string}_total`, help: string, labels: readonly string[] = []): Counter {
    return this.add(new Counter(name, help, labels))
  }

  histogram(name: string, help: string, labels: readonly string[], bounds: readonly number[]): Histogram {
    return this.add(new Histogram(name, help, labels, bounds))
  }

  /** @param read called at each scrape. When it throws, the scrape has no value of this metric */
  gauge(name: string, help: string, labels: readonly string[], read: () => Reading): void {
    this.add(new Gauge(name, 'gauge', help, labels, read))
  }

  /** A counter that is kept elsewhere. */
  readCounter(name: `${string}_total`, help: string, labels: readonly string[], read: () => Reading): void {
    this.add(new Gauge(name, 'counter', help, labels, read))
  }

  /** The names of all metrics, each with those of its labels. */
  get names(): Map<string, readonly string[]> {
    return new Map([...this.families.values()].map(({ name, labels }) => [name, labels]))
  }

  /** @param onError gets the name of a metric that could not be read */
  render(format: Format, onError: (name: string, error: unknown) => void = () => {}): string {
    let text = ''
    for (const family of this.families.values()) {
      try {
        text += family.render(format)
      } catch (error) {
        onError(family.name, error)
      }
    }
    return format === 'openmetrics' ? `${text}# EOF\n` : text
  }

  private add<F extends Family>(family: F): F {
    if (this.families.has(family.name)) throw new Error(`two metrics are called ${family.name}`)
    this.families.set(family.name, family)
    return family
  }
}
