import { Component } from 'preact'
import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'
import { Markdown } from './markdown.tsx'
import { ToolCard } from './tool-card.tsx'
import { callState, type Turn } from './turns.ts'

const t = texts({
  en: {
    you: 'You',
    agent: 'Agent',
    thoughts: 'Thoughts',
    thinking: 'Thinking…',
    cancelled: 'You have stopped this answer.',
    again: 'Ask again',
    yes: 'Yes, do it',
    no: 'No',
    sayYes: 'Yes',
    sayNo: 'No',
    consent: 'Your answer',
  },
  zh: {
    you: '你',
    agent: '助手',
    thoughts: '思考过程',
    thinking: '思考中…',
    cancelled: '你已停止此回答。',
    again: '重新提问',
    yes: '是的，执行',
    no: '不用了',
    sayYes: '是',
    sayNo: '不',
    consent: '你的回答',
  },
})

const errors = texts({
  en: {
    MODEL_UNAVAILABLE: 'The language model can’t be reached at the moment.',
    MODEL_RATE_LIMITED: 'The language model gets too many requests at the moment.',
    MODEL_REFUSED: 'The language model has refused the request. An administrator should check its settings.',
    MODEL_TIMEOUT: 'The language model has taken too long to answer.',
    MODEL_INTERRUPTED: 'The answer was cut off in the middle.',
    MODEL_CUT_OFF: 'The answer has reached the language model’s limit of length.',
    MODEL_FILTERED: 'A content filter has stopped the answer.',
    MODEL_EMPTY: 'The language model gave no answer. Other words may help.',
    STEP_LIMIT: 'The answer took too many steps.',
    OUTPUT_LIMIT: 'The answer became too long.',
    SESSION_ENDED: 'Your session ended during the answer.',
    SERVER_STOPPED: 'The server restarted during the answer.',
    INTERNAL: 'Something went wrong during the answer.',
  },
  zh: {
    MODEL_UNAVAILABLE: '语言模型暂时无法访问。',
    MODEL_RATE_LIMITED: '语言模型当前请求过多。',
    MODEL_REFUSED: '语言模型拒绝了请求，请联系管理员检查配置。',
    MODEL_TIMEOUT: '语言模型响应超时。',
    MODEL_INTERRUPTED: '回答中途断开。',
    MODEL_CUT_OFF: '回答达到了语言模型的长度上限。',
    MODEL_FILTERED: '内容过滤器中止了回答。',
    MODEL_EMPTY: '语言模型没有给出回答，可以换一种问法。',
    STEP_LIMIT: '回答所需的步骤过多。',
    OUTPUT_LIMIT: '回答过长。',
    SESSION_ENDED: '回答过程中登录已失效。',
    SERVER_STOPPED: '回答过程中服务器重启。',
    INTERNAL: '回答时出错。',
  },
})

interface Props {
  turn: Turn
  isLast: boolean
  /** The turn has ended with a question that nobody has answered yet. */
  asks: boolean
  onSend: (text: string) => Promise<void>
}

/** Made anew only when its turn changes: of a long conversation that is the last one. */
export class TurnView extends Component<Props> {
  override shouldComponentUpdate({ turn, isLast, asks }: Props, state: object): boolean {
    const { props } = this
    // A signal that the component reads, such as the language, sets an empty state.
    return turn !== props.turn || isLast !== props.isLast || asks !== props.asks || state !== this.state
  }

  override render({ turn, isLast, asks, onSend }: Props) {
    return (
      <li class="turn">
        {turn.question !== undefined && <Question text={turn.question} />}
        <Answer turn={turn} isLast={isLast} />
        {asks && (
          <fieldset class="row">
            <legend class="hidden-text">{t.consent}</legend>
            <Button kind="danger" onClick={() => onSend(t.sayYes)}>
              {t.yes}
            </Button>
            <Button onClick={() => onSend(t.sayNo)}>{t.no}</Button>
          </fieldset>
        )}
        <Ending turn={turn} isLast={isLast} onSend={onSend} />
      </li>
    )
  }
}

export const Question = ({ text }: { text: string }) => (
  <div class="question">
    <span class="hidden-text">{t.you}: </span>
    {text}
  </div>
)

function Answer({ turn, isLast }: { turn: Turn; isLast: boolean }) {
  const last = turn.parts.at(-1)
  const isQuiet = last === undefined || (last.kind === 'tool' && last.result !== undefined)
  return (
    <div class="answer">
      {turn.parts.length > 0 && <span class="hidden-text">{t.agent}: </span>}
      {turn.parts.map((part) =>
        part.kind === 'tool' ? (
          <ToolCard key={part.id} call={part} state={callState(part, turn, isLast)} />
        ) : part.kind === 'thought' ? (
          <details key={part.id} class="thoughts">
            <summary class="small muted">{t.thoughts}</summary>
            <Markdown text={part.text} />
          </details>
        ) : (
          <Markdown key={part.id} text={part.text} />
        ),
      )}
      {turn.status === 'running' && isQuiet && <p class="muted thinking">{t.thinking}</p>}
    </div>
  )
}

function Ending({ turn, isLast, onSend }: Omit<Props, 'asks'>) {
  if (turn.status !== 'failed' && turn.status !== 'cancelled') return null
  const code = (turn.error ?? 'INTERNAL') as keyof typeof errors
  const text = turn.status === 'failed' ? (errors[code] ?? errors.INTERNAL) : t.cancelled
  const { question } = turn
  return (
    <div class={`notice ${turn.status === 'failed' ? 'bad' : ''}`}>
      <span class="grow">{text}</span>
      {isLast && question !== undefined && (
        <Button small icon="retry" onClick={() => onSend(question)}>
          {t.again}
        </Button>
      )}
    </div>
  )
}
